"""How much of a log one process holds, wherever a step does not share it among many."""

# Beyond, steps that keep a log in memory keep everything of a share of its users
# (trainer/data/log_sample.py). 10 M events take ItemNeighbours 2.7 GiB
# (`make bench-scale`), 10 M events with their words the others less than 4 GiB.
MAX_EVENTS = 10_000_000
