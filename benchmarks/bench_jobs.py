"""A whole run by the number of steps that run at once: seconds and memory.

    python -m benchmarks.bench_jobs [--shop demo] [--rounds 1]

Each run is `souk run` with a home of its own, empty; runs take turns. Memory is the
largest sum over a run's processes of what is each one's own and its share of what
several have mapped (PSS), read twice a second.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS = (1, 2, 3)


def run(shop: str, jobs: int) -> tuple[float, float]:
    """Seconds and GiB of one run.

    Raises:
      CalledProcessError: it failed.
    """
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "pipeline.cli", "run", shop, "--home", home]
        started, most = time.monotonic(), 0
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs)], stdout=subprocess.DEVNULL
        )
        while process.poll() is None:
            most = max(most, sum(map(_shared_kib, _family(process.pid))))
            time.sleep(0.5)
        seconds = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, most / 2**20


def _family(pid: int) -> list[int]:
    """A process and all below it, those of its threads' making too."""
    found = [pid]
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                found += _family(int(child))
    return found


def _shared_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {jobs: [] for jobs in JOBS}
    for _ in range(options.rounds):
        for jobs in JOBS:
            found[jobs].append(run(options.shop, jobs))
    print(f"{options.shop}, {len(os.sched_getaffinity(0))} processors")
    alone = statistics.median(seconds for seconds, _ in found[1])
    for jobs, each in found.items():
        seconds = statistics.median(s for s, _ in each)
        memory = max(gib for _, gib in each)
        print(
            f"--jobs {jobs}: {seconds:6.1f} s, {alone / seconds:4.2f} times as fast as "
            f"one by one, {memory:4.1f} GiB"
        )


if __name__ == "__main__":
    main()
