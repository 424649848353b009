"""`make kubeflow-dry-run`: compiled, run step by step, compared with the local run."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

import click
import yaml
from rich.console import Console

from core import presets
from core.config.choices import RunChoices
from core.layout import HomeLayout
from core.progress import counted
from pipeline import sources
from pipeline.kubeflow.dry_run.cluster import (
    COMPLETE,
    FAILED,
    LocalCluster,
    RunResult,
    TaskResult,
)
from pipeline.kubeflow.dry_run.compare import compare
from pipeline.kubeflow.dry_run.driver import Json
from pipeline.kubeflow.dry_run.environment import build_environment
from pipeline.quiet import quiet
from pipeline.run import RunRequest, run_shop


@click.command()
@click.argument("shop", default="tiny")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Of the local run; the dry run goes to HOME/kubeflow.",
)
@click.option("--keep", is_flag=True, help="Keep the folders of an earlier dry run.")
@click.option("--compress", is_flag=True, help="As for `souk run`.")
@click.option("--refit", is_flag=True, help="Then run the refit's pipeline as well.")
def main(shop: str, home: Path, keep: bool, compress: bool, refit: bool) -> None:
    """Run SHOP locally, then its compiled pipeline without a cluster, and compare."""
    console = Console()
    layout, folder = HomeLayout(home.resolve(), shop), home.resolve() / "kubeflow"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    choices = RunChoices(compress=compress)
    run_shop(RunRequest(layout=layout, source=shop, choices=choices, refit=refit))
    started = time.monotonic()
    # Beside a kept one: what is in the image may have changed.
    image = folder / f"image-{int(time.time())}"
    python = build_environment(Path.cwd(), image)
    console.print(f"image    {python} ({time.monotonic() - started:.0f} s)")
    for again in (False, True)[: 1 + refit]:
        spec, parameters = _compiled(layout, shop, folder, console, choices, again)
        result = _run(spec, parameters, folder, python, console)
        if result.state != COMPLETE:
            raise SystemExit(f"souk: the run ended as {result.state}; see {folder}")
    cluster = HomeLayout(folder / "home", shop)
    config = presets.for_shop(*sources.ensure_tables(layout, shop, data=None, seed=0))
    found = compare(layout, cluster, config)
    console.print(
        f"pages    {found.same_pages} of {found.num_pages} the same as the local run's "
        f"(scores within {found.score_difference:.1e})\n"
        f"metrics  {found.num_metrics}, largest difference "
        f"{found.metric_difference:.1e}"
    )
    if not found.same:
        raise SystemExit("souk: the bundles differ")


def _compiled(
    layout: HomeLayout,
    shop: str,
    folder: Path,
    console: Console,
    choices: RunChoices,
    refit: bool,
) -> tuple[Json, Json]:
    """The specification, read back from its file, and the run's parameters."""
    started = time.monotonic()
    path = folder / ("kubeflow-refit.yaml" if refit else "kubeflow.yaml")
    with quiet(folder / "compile.log"):
        # A heavy import, here so that it is quiet.
        from pipeline.kubeflow.compile import Target, compile_pipeline

        config = presets.for_shop(
            *sources.ensure_tables(layout, shop, data=None, seed=0)
        )
        target = Target(
            pipeline_root="gs://dry-run/artifacts",
            image="souk:dry-run",
            source=shop,
            choices=choices,
            refit=refit,
        )
        compile_pipeline(config, layout, target).write(path)
    console.print(f"compiled {path} ({time.monotonic() - started:.0f} s)")
    spec = next(yaml.safe_load_all(path.read_text("utf-8")))
    return spec, {"home": str(folder / "home")}


def _run(
    spec: Json, parameters: Json, folder: Path, python: Path, console: Console
) -> RunResult:
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    def show(result: TaskResult) -> None:
        console.print(
            f"  {result.name:20s} {result.state.lower():9s} {result.seconds:6.1f} s",
            highlight=False,
        )
        if result.state == FAILED:
            console.print(f"  see {result.log}/log.txt", highlight=False)

    result = LocalCluster(folder / "cluster", python, show).run(spec, parameters)
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    console.print(
        f"{counted(len(result.tasks), 'step')} in {minutes} min {seconds} s, "
        f"{cpu:.0f} s of CPU"
    )
    return result


if __name__ == "__main__":
    main()
