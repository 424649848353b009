"""`souk compile` and `souk submit`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from core.config.choices import RunChoices
from core.config.compress import CompressConfig
from core.errors import ConfigError, SoukError
from core.layout import HomeLayout
from core.progress import counted
from pipeline.command_line import (
    DEFAULT_HOME,
    compress_settings_option,
    fail,
    settings_option,
)
from pipeline.settings import read_settings, settings_file
from pipeline.shop_argument import shop_argument, shop_name


@click.command("compile")
@click.argument("shop", default="demo")
@click.option(
    "--runner",
    type=click.Choice(["kubeflow"]),
    default="kubeflow",
    show_default=True,
    help="What the specification is for.",
)
@click.option(
    "--pipeline-root",
    required=True,
    metavar="URI",
    help="Bucket and folder of the artifacts: gs://, s3:// or minio://.",
)
@click.option("--image", required=True, help="Image of every step (deploy/Dockerfile).")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the specification goes; HOME/SHOP/kubeflow.yaml by default, of a refit "
    "kubeflow-refit.yaml.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="The shop's own file or folder on this machine, as for `souk run`.",
)
@click.option(
    "--cluster-data", default="", help="The same as the containers see it (default)."
)
@click.option(
    "--cluster-home",
    default="/souk",
    show_default=True,
    help="Shared folder in the containers: tables, pushed versions, reports.",
)
@click.option("--seed", default=0, show_default=True, help="Of a simulated shop.")
@click.option(
    "--cluster",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML with volume, caching and each step's resources (docs/kubeflow.md).",
)
@click.option("--compress", is_flag=True, help="As for `souk run`.")
@compress_settings_option
@click.option("--static-shapes", is_flag=True, help="As for `souk run`.")
@click.option("--joint-ranker", is_flag=True, help="As for `souk run`.")
@click.option(
    "--text-encoder-preset",
    default="",
    metavar="FOLDER",
    help="Of a pretrained text encoder, as the containers see it.",
)
@click.option(
    "--text-encoder-layers",
    type=click.IntRange(min=0),
    default=0,
    help="As for `souk run`.",
)
@settings_option
@click.option(
    "--refit",
    is_flag=True,
    help="The shorter DAG that trains on everything what a run before it has pushed.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME,
    show_default=True,
    help="Where the shop's tables are, or are made.",
)
def compile_command(
    shop: str,
    runner: str,
    pipeline_root: str,
    image: str,
    output: Path | None,
    data: Path | None,
    cluster_data: str,
    cluster_home: str,
    seed: int,
    cluster: Path | None,
    compress: bool,
    compress_settings: CompressConfig | None,
    static_shapes: bool,
    joint_ranker: bool,
    text_encoder_preset: str,
    text_encoder_layers: int,
    settings_path: Path | None,
    refit: bool,
    home: Path,
) -> None:
    """Write SHOP's pipeline as a Kubeflow Pipelines v2 specification.

    Nothing is run. The shop's tables are made in HOME where they are not there yet,
    since what they hold (events, judgments) decides which steps there are.
    """
    try:
        layout = HomeLayout(home.resolve(), shop_name(shop))
        name = "kubeflow-refit.yaml" if refit else "kubeflow.yaml"
        path = output or layout.root / name
        num_tasks = _compile(
            shop,
            layout,
            path,
            data=data,
            seed=seed,
            cluster=cluster,
            pipeline_root=pipeline_root,
            image=image,
            cluster_data=cluster_data,
            cluster_home=cluster_home,
            choices=RunChoices(
                compress=compress,
                compress_settings=compress_settings,
                static_shapes=static_shapes,
                joint_ranker=joint_ranker,
                text_encoder_preset=text_encoder_preset,
                text_encoder_layers=text_encoder_layers,
                settings=read_settings(
                    settings_file(settings_path, shop_argument(shop, data).data)
                ),
            ),
            refit=refit,
        )
    except SoukError as error:
        fail(error)
    click.echo(f"{path}: {counted(num_tasks, 'step')} for {runner}")


def _compile(
    shop: str,
    layout: HomeLayout,
    path: Path,
    *,
    data: Path | None,
    seed: int,
    cluster: Path | None,
    pipeline_root: str,
    image: str,
    cluster_data: str,
    cluster_home: str,
    choices: RunChoices,
    refit: bool,
) -> int:
    from pipeline.home import locked
    from pipeline.kubeflow.config import ClusterConfig
    from pipeline.quiet import quiet

    meant = shop_argument(shop, data)
    settings = ClusterConfig.from_file(cluster) if cluster else ClusterConfig()
    with (
        locked(layout),
        quiet(layout.logs / "compile.log"),
        tempfile.TemporaryDirectory() as scratch,
    ):
        # Heavy imports, here so that they are quiet and `souk --help` is fast.
        from core import presets
        from pipeline import sources
        from pipeline.kubeflow.compile import Target, compile_pipeline

        target = Target(
            pipeline_root=pipeline_root,
            image=image,
            source=meant.source,
            data=cluster_data,
            seed=seed,
            home=cluster_home,
            cluster=settings,
            choices=choices,
            refit=refit,
        )
        tables = sources.settings_layout(
            layout, Path(scratch), meant.source, data=meant.data, seed=seed
        )
        config = presets.for_shop(
            *sources.ensure_tables(tables, meant.source, data=meant.data, seed=seed)
        )
        compiled = compile_pipeline(config, tables, target)
    compiled.write(path)
    return len(compiled.spec["deploymentSpec"]["executors"])


@click.command("submit")
@click.argument("specification", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--endpoint", required=True, metavar="URL", help="Of Kubeflow Pipelines' API."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Run parameter: shop, source, data, seed, test_start, gates, home.",
)
@click.option("--experiment", default="souk", show_default=True)
@click.option("--namespace", help="Of a multi-user installation.")
@click.option("--run-name", help="By default the pipeline's name and the time.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with a bearer token, where the endpoint asks for one.",
)
def submit_command(
    specification: Path,
    endpoint: str,
    params: tuple[str, ...],
    experiment: str,
    namespace: str | None,
    run_name: str | None,
    token_file: Path | None,
) -> None:
    """Upload SPECIFICATION (of `souk compile`) and start a run of it."""
    from pipeline.kubeflow.submit import Submission, submit

    try:
        submission = Submission(
            specification=specification,
            parameters=_parsed(params),
            experiment=experiment,
            namespace=namespace,
            run_name=run_name,
        )
        token = token_file.read_text("utf-8").strip() if token_file else None
        run_id = submit(submission, endpoint, token=token)
    except SoukError as error:
        fail(error)
    click.echo(f"run {run_id} at {endpoint}")


def _parsed(params: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in params:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(
                f"`--param` must be NAME=VALUE. Received: {pair!r}. "
                "Example: --param test_start=2025-06-17."
            )
        found[name] = value
    return found


def register(group: click.Group) -> None:
    """Adds both commands to the `souk` command."""
    group.add_command(compile_command)
    group.add_command(submit_command)
