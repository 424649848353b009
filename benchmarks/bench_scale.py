"""Cost of the data half as a shop grows: wall and CPU seconds, peak memory, exponents.

    python -m benchmarks.bench_scale --sizes 100000,1000000,10000000
    python -m benchmarks.bench_scale --grow items --sizes 10000,30000,100000

Events grow over the demo shop's catalogue, or the catalogue under 500,000 events.
Each step runs in a process of its own on the direct runner. The exponent is that of the
last two sizes, where fixed costs weigh least: seconds ~ size ^ exponent. What a billion
events, or a million items, would need is computed from it and is a projection, not a
measurement.
What was measured is written to OUT/scale.json step by step; `--resume` takes whole
sizes from there, and a run that is stopped prints what it has.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.scale_shop import write_scale_tables
from benchmarks.scale_step import STEPS
from core.layout import HomeLayout

Measured = dict[str, dict[int, dict[str, float]]]  # step → size → what was measured
MAX_EXPONENT, MAX_PEAK_BYTES = 1.1, 8 * 2**30
EVENTS, ITEMS = "events", "items"
SIZES = {EVENTS: "100000,1000000,10000000", ITEMS: "10000,30000,100000"}
PROJECTED = {EVENTS: 1_000_000_000, ITEMS: 1_000_000}
# How many events there are while the catalogue grows.
EVENTS_OF_ITEMS = 500_000
_TIMEOUT_S = 3_600


def main() -> None:
    """Prints the table; exit status 1 where a bar is missed or not all is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grow", choices=list(SIZES), default=EVENTS)
    parser.add_argument("--sizes", help=f"By default {SIZES}.")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--out", type=Path, default=Path("var/bench/scale"))
    parser.add_argument("--resume", action="store_true", help="Keep whole sizes.")
    arguments = parser.parse_args()
    grow = arguments.grow
    sizes = [int(size) for size in (arguments.sizes or SIZES[grow]).split(",")]
    steps = arguments.steps.split(",")
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = "scale" if grow == EVENTS else f"scale-{grow}"
    path = arguments.out / f"{name}.json"
    measured = read(path) if arguments.resume else {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stopped = False
    try:
        for size in sizes:
            if not all(size in measured.get(step, {}) for step in steps):
                _measure_all(grow, size, steps, measured, path)
    except KeyboardInterrupt:
        stopped = True
        Console().print("stopped; what was measured until then:")
    if not measured:
        raise SystemExit(1)
    draw(measured, path.with_suffix(".svg"), grow)
    Console(width=max(Console().width, 120)).print(report(measured, grow))
    missed = list(missed_bars(measured))
    for sentence in missed:
        Console().print(f"missed: {sentence}")
    sys.exit(1 if missed or stopped else 0)


def read(path: Path) -> Measured:
    """What an earlier run wrote; nothing where there was none."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text("utf-8"))
    return {
        step: {int(size): values for size, values in times.items()}
        for step, times in found.items()
    }


def _measure_all(
    grow: str, size: int, steps: Sequence[str], measured: Measured, path: Path
) -> None:
    """Adds what each step takes; printed and written at once, as it can take long."""
    for step, found in measure(grow, size, steps):
        measured.setdefault(step, {})[size] = found
        Console().print(
            f"{size:>11,} {grow}  {step:17s} {found['wall_s']:8.1f} s wall "
            f"{found['cpu_s']:8.1f} s CPU {found['peak_bytes'] / 2**30:6.2f} GiB",
            highlight=False,
        )
        path.write_text(json.dumps(measured, indent=2))


def measure(
    grow: str, size: int, steps: Sequence[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each step and what it took, on a new shop of that many events or items."""
    counts = (size, None) if grow == EVENTS else (EVENTS_OF_ITEMS, size)
    folder = Path(tempfile.mkdtemp(prefix="souk-scale-"))
    try:
        tables = HomeLayout(folder, "scale").tables
        shop, splits = write_scale_tables(tables, *counts)
        text = json.dumps({"shop": shop.to_json(), "splits": splits.to_json()})
        (tables / "scale.json").write_text(text)
        for step in steps:
            yield step, _run(folder, step)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, step: str) -> dict[str, float]:
    log = folder / f"{step}.log"
    with log.open("w") as errors:
        found = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale_step", str(folder), step],
            stdout=subprocess.PIPE,
            stderr=errors,
            timeout=_TIMEOUT_S,
            check=False,
        )
    if found.returncode:
        raise SystemExit(f"{step} failed:\n{log.read_text('utf-8')[-3_000:]}")
    values: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return values


def exponent(times: dict[int, dict[str, float]], name: str = "cpu_s") -> float:
    """b of seconds ~ size^b between the two largest sizes; nan of one size."""
    sizes = sorted(times)[-2:]
    if len(sizes) < 2:
        return math.nan
    few, many = sizes
    ratio = max(times[many][name], 1e-9) / max(times[few][name], 1e-9)
    return math.log(ratio) / math.log(many / few)


def projection(times: dict[int, dict[str, float]], grow: str = EVENTS) -> float:
    """CPU hours of a billion events or a million items, by the exponent."""
    largest = max(times)
    power = exponent(times)
    growth = (PROJECTED[grow] / largest) ** (
        1.0 if math.isnan(power) else max(power, 1.0)
    )
    return times[largest]["cpu_s"] * growth / 3_600


def missed_bars(measured: Measured) -> list[str]:
    """What is worse than n^1.1 or takes more than 8 GiB."""
    missed = []
    for step, times in measured.items():
        power = exponent(times)
        if power > MAX_EXPONENT:
            missed.append(f"{step} grows as n^{power:.2f} (bar: n^{MAX_EXPONENT})")
        peak = max(found["peak_bytes"] for found in times.values())
        if peak > MAX_PEAK_BYTES:
            missed.append(f"{step} takes {peak / 2**30:.1f} GiB (bar: 8 GiB)")
    return missed


def report(measured: Measured, grow: str = EVENTS) -> Table:
    """Seconds and memory by step and size, exponents, and the projection."""
    sizes = sorted({size for times in measured.values() for size in times})
    table = Table("step", box=None)
    for size in sizes:
        table.add_column(f"{size:,} {grow}\nwall s / CPU s / GiB", justify="right")
    table.add_column("exponent\nwall / CPU", justify="right")
    table.add_column(f"{PROJECTED[grow]:,} {grow}\n(projection)", justify="right")
    for step, times in measured.items():
        cells = [
            f"{t['wall_s']:.1f} / {t['cpu_s']:.1f} / {t['peak_bytes'] / 2**30:.2f}"
            if t
            else "not measured"
            for t in (times.get(size) for size in sizes)
        ]
        powers = f"{exponent(times, 'wall_s'):.2f} / {exponent(times):.2f}"
        table.add_row(step, *cells, powers, f"{projection(times, grow):.1f} CPU h")
    return table


def draw(measured: Measured, path: Path, grow: str = EVENTS) -> None:
    """Seconds and memory against the size, both on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for step, times in measured.items():
        sizes = sorted(times)
        left.plot(sizes, [times[n]["cpu_s"] for n in sizes], "o-", label=step)
        peaks = [times[n]["peak_bytes"] / 2**30 for n in sizes]
        right.plot(sizes, peaks, "o-", label=step)
    left.set(xscale="log", yscale="log", xlabel=grow, ylabel="CPU seconds")
    right.set(xscale="log", xlabel=grow, ylabel="peak memory, GiB")
    right.axhline(MAX_PEAK_BYTES / 2**30, color="grey", linestyle=":")
    left.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main()
