"""`make flink-demo`: Beam steps of a finished run, on this process and on a cluster.

The cluster is a JobManager and two TaskManagers on loopback, one Python worker each; it
is stopped whatever happens.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from core.errors import SoukError
from core.layout import HomeLayout
from pipeline import engines
from pipeline.engines import BeamEngine


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepTimes:
    """Seconds of one step by engine, and whether the outputs are the same."""

    step: str
    direct_s: float
    flink_s: float
    verdict: str


@click.command(help=__doc__)
@click.argument("shop", default="tiny")
@click.option("--home", type=click.Path(path_type=Path), default=Path("var"))
@click.option("--steps", help="Comma-separated; all by default.")
def main(shop: str, home: Path, steps: str | None) -> None:
    """Prints a table of the steps; exit status 1 where an output differs."""
    from pipeline.quiet import quiet

    layout = HomeLayout(home.resolve(), shop)
    try:
        with quiet(layout.logs / "flink-demo.log", verbose=False) as screen:
            console = Console(file=screen)
            from pipeline.replay import EXECUTORS  # TFX: quiet here

            chosen = tuple(steps.split(",")) if steps else tuple(EXECUTORS)
            times = compare(layout, chosen, console)
            console.print(_table(times))
    except SoukError as error:
        raise click.ClickException(str(error)) from error
    if any("differ" in step.verdict for step in times):
        raise SystemExit(1)


def compare(
    layout: HomeLayout, steps: Sequence[str], console: Console
) -> list[StepTimes]:
    """Runs each step on the direct runner and on a cluster of two TaskManagers."""
    from pipeline.flink import cluster, job_server
    from pipeline.flink.same_outputs import same_outputs
    from pipeline.replay import replay

    cache = engines.jar_cache(layout.home)
    with console.status("the job server's jar (built once, by Maven)"):
        jar = job_server.ensure_jar(cache)
    found = []
    logs = cache / "runs" / f"demo-{os.getpid()}"  # what a cluster that fails leaves
    with (
        tempfile.TemporaryDirectory(dir=cache) as place,
        engines.started(BeamEngine(), layout.home) as here,
        cluster.running(jar, logs, task_managers=2) as session,
        engines.started(
            BeamEngine(name="flink", flink_master=session.master), layout.home
        ) as there,
    ):
        console.print(f"Flink session cluster: {session.master}, 2 TaskManagers")
        console.print(f"  first job, with all imports: {_first_job(there):.1f} s")
        direct, flink = Path(place) / "direct", Path(place) / "flink"
        for step in steps:
            with console.status(step):
                times = StepTimes(
                    step=step,
                    direct_s=replay(layout, step, here, direct / step),
                    flink_s=replay(layout, step, there, flink / step),
                    verdict=same_outputs(step, direct / step, flink / step),
                )
            found.append(times)
            console.print(f"  {step}: {times.direct_s:.1f} s, {times.flink_s:.1f} s")
    console.print("Flink session cluster: stopped")
    return found


def _first_job(beam_args: Sequence[str]) -> float:
    """Seconds of a job without work; imports happen here once and in no step."""
    import apache_beam as beam

    started = time.monotonic()
    with beam.Pipeline(argv=list(beam_args)) as pipeline:
        _ = pipeline | beam.Create([0]) | beam.Map(abs)
    return time.monotonic() - started


def _table(times: Sequence[StepTimes]) -> Table:
    table = Table("step", box=None)
    for name in ("direct runner", "Flink", "times"):
        table.add_column(name, justify="right")
    table.add_column("outputs")
    for step in times:
        table.add_row(
            step.step,
            f"{step.direct_s:.1f} s",
            f"{step.flink_s:.1f} s",
            f"{step.flink_s / max(step.direct_s, 1e-3):.1f}",
            step.verdict,
        )
    return table


if __name__ == "__main__":
    main()
