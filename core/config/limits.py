"""How much of a log one process holds, wherever a step does not share it among many."""

# Beyond, steps that keep a log in memory keep everything of a share of its users
# (trainer/data/log_sample.py). 10 M events are a few GiB there (`make bench-scale`).
MAX_EVENTS = 10_000_000
