"""The `souk` command: run, serve, query, inspect, report, clean."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import click
from rich.console import Console

from core.config.choices import RunChoices
from core.config.compress import CompressConfig
from core.errors import SoukError
from core.layout import HomeLayout
from pipeline.beam_options import DIRECT, ENGINES, LOCAL_MASTER
from pipeline.cleaning.command import clean_command
from pipeline.command_line import (
    compress_settings_option,
    fail,
    home_option,
    settings_option,
)
from pipeline.kubeflow import commands as kubeflow
from pipeline.query_commands import query
from pipeline.settings import read_settings, settings_file
from pipeline.settings_command import settings_command
from pipeline.shop_argument import shop_argument, shop_name

DEFAULT_SHOP = "demo"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search and recommendation for shops: tables in, one served model out."""
    # google.api_core remarks on the Python version whenever TensorFlow loads it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")


@main.command()
@click.argument("shop", default=DEFAULT_SHOP)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="The shop's own file or folder (docs/data.md).",
)
@click.option("--seed", default=0, show_default=True, help="Of a simulated shop.")
@click.option("--no-cache", is_flag=True, help="Run every component again.")
@click.option(
    "--refit",
    is_flag=True,
    help="Once the gates accept, train on everything there is and push that.",
)
@click.option(
    "--without-events",
    is_flag=True,
    help="Go on where a shop that was served with events has none any more: search "
    "alone takes the place of what is served.",
)
@click.option(
    "--text-encoder-preset",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a pretrained text encoder (docs/text-encoder.md); without it one "
    "is trained on the shop's own texts.",
)
@click.option(
    "--text-encoder-layers",
    type=click.IntRange(min=0),
    default=0,
    help="Keep so many layers of the preset, the most important ones; 0: all.",
)
@click.option(
    "--joint-ranker",
    is_flag=True,
    help="Train one ranker for recommendation and search in place of two.",
)
@click.option(
    "--compress",
    is_flag=True,
    help="Push a bundle of 8-bit tables and vectors, a quarter of the size.",
)
@compress_settings_option
@click.option(
    "--static-shapes",
    is_flag=True,
    help="Push a bundle whose funnel XLA can compile (docs/gpu.md).",
)
@click.option(
    "--beam-engine",
    type=click.Choice(ENGINES),
    default=DIRECT,
    show_default=True,
    help="Where Beam steps run (docs/beam.md).",
)
@click.option(
    "--flink-master",
    default=LOCAL_MASTER,
    show_default=True,
    help="HOST:8081 of a cluster; [local]: Flink on this machine.",
)
@click.option(
    "--beam-workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Worker processes of Flink.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    help="Steps that run at once, each in a process of its own; 1: in this one, one "
    "after the other. By default 2; 1 on one processor, with a GPU or Flink "
    "(docs/running.md).",
)
@settings_option
@click.option("-v", "--verbose", is_flag=True, help="Show all logs on the screen.")
@home_option
def run(
    shop: str,
    data: Path | None,
    seed: int,
    no_cache: bool,
    refit: bool,
    without_events: bool,
    text_encoder_preset: Path | None,
    text_encoder_layers: int,
    joint_ranker: bool,
    compress: bool,
    compress_settings: CompressConfig | None,
    static_shapes: bool,
    beam_engine: str,
    flink_master: str,
    beam_workers: int,
    jobs: int | None,
    settings_path: Path | None,
    verbose: bool,
    home: Path,
) -> None:
    """Run SHOP up to a pushed model.

    SHOP is demo, tiny or large (simulated), online-retail, a judged catalogue (chorus,
    wands, esci), or the path of a folder with one's own tables (docs/data.md).
    """
    if verbose:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"  # before TensorFlow is imported
    from pipeline.engines import BeamEngine
    from pipeline.run import RunRequest, run_shop

    try:
        meant = shop_argument(shop, data)
        settings = read_settings(settings_file(settings_path, meant.data))
    except SoukError as error:
        fail(error)
    request = RunRequest(
        layout=HomeLayout(home.resolve(), meant.name),
        source=meant.source,
        data=meant.data,
        seed=seed,
        cache=not no_cache,
        refit=refit,
        without_events=without_events,
        choices=RunChoices(
            compress=compress,
            compress_settings=compress_settings,
            static_shapes=static_shapes,
            joint_ranker=joint_ranker,
            text_encoder_preset=(
                str(text_encoder_preset.resolve()) if text_encoder_preset else ""
            ),
            text_encoder_layers=text_encoder_layers,
            settings=settings,
        ),
        verbose=verbose,
        engine=BeamEngine(
            name=beam_engine, flink_master=flink_master, num_workers=beam_workers
        ),
        jobs=jobs,
    )
    try:
        run_shop(request)
    except SoukError as error:
        fail(error)


@main.command()
@click.argument("shop", default=DEFAULT_SHOP)
@click.option("--port", default=8500, show_default=True, help="gRPC.")
@click.option(
    "--rest-api-port",
    "--rest_api_port",  # as the server's own messages call it
    default=8501,
    show_default=True,
    help="HTTP.",
)
@home_option
def serve(shop: str, port: int, rest_api_port: int, home: Path) -> None:
    """Serve SHOP's pushed model over TensorFlow Serving's gRPC and REST APIs."""
    from core.signatures import MODEL_NAME
    from serving.main import serve as serve_model

    layout = HomeLayout(home.resolve(), shop_name(shop))
    flags = {
        "model_base_path": layout.serving,
        "model_name": MODEL_NAME,
        "port": port,
        "rest_api_port": rest_api_port,
    }
    sys.exit(serve_model([f"--{name}={value}" for name, value in flags.items()]))


@main.command("inspect")
@click.argument("model", default=DEFAULT_SHOP)
@click.option("--gpu", default="l4", show_default=True, help="Whose roofline.")
@click.option("--all", "every", is_flag=True, help="Every op, also the GPU's own.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@home_option
def inspect_command(
    model: str, gpu: str, every: bool, as_json: bool, home: Path
) -> None:
    """Where the ops of MODEL would run on a GPU, and what a request costs there.

    MODEL is a SavedModel's folder, or a shop whose newest pushed version is meant.
    """
    from pipeline.inspect import inspect

    try:
        inspect(Console(), model, home, gpu=gpu, every=every, as_json=as_json)
    except SoukError as error:
        fail(error)


@main.command()
@click.argument("shop", default=DEFAULT_SHOP)
@home_option
def report(shop: str, home: Path) -> None:
    """Print where SHOP's newest report is."""
    from pipeline.home import run_without_report

    layout = HomeLayout(home.resolve(), shop_name(shop))
    path = layout.report
    if not path.is_file():
        from core.errors import ArtifactError

        fail(ArtifactError(f"No report at `{path}`. Run `souk run {shop}` first."))
    click.echo(path)
    log = run_without_report(layout)
    if log is not None:
        click.echo(
            f"The newest run left no report, or has not yet: {log}. This page is of a "
            "run before it.",
            err=True,
        )


main.add_command(clean_command)
main.add_command(query)
main.add_command(settings_command)
kubeflow.register(main)

if __name__ == "__main__":
    main()
