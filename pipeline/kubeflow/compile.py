"""`create_pipeline` → a KFP v2 pipeline spec without a trace of this machine."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import yaml
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.orchestration.pipeline import Pipeline

from core import presets
from core.config.choices import RunChoices
from core.config.souk import SoukConfig
from core.errors import ConfigError
from core.layout import HomeLayout
from pipeline.create_pipeline import create_pipeline, create_refit_pipeline
from pipeline.kubeflow import (
    edit_runs,
    edit_tasks,
    names,
    own_tasks,
    run_values,
    uris,
)
from pipeline.kubeflow.config import DEFAULT, ClusterConfig
from pipeline.settings import differences

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Where the pipeline is going to run, and what its runs take by default."""

    pipeline_root: str  # gs://, s3:// or minio://: where artifacts go
    image: str  # of every step
    source: str  # adapter's name
    data: str = ""  # the source's files, as the containers see them
    seed: int = 0
    home: str = names.DEFAULT_HOME
    cluster: ClusterConfig = dataclasses.field(default_factory=ClusterConfig)
    # A preset's folder as the containers see it.
    choices: RunChoices = dataclasses.field(default_factory=RunChoices)
    refit: bool = False  # the DAG that trains accepted settings on everything


@dataclasses.dataclass(frozen=True)
class CompiledPipeline:
    """KFP's PipelineSpec and, where a volume is mounted, its PlatformSpec."""

    spec: dict[str, Any]
    platform: dict[str, Any]

    def to_yaml(self) -> str:
        """What KFP's client and its page take: one document, or two."""
        documents = [self.spec, *([self.platform] if self.platform else [])]
        return yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_yaml(), encoding="utf-8")


def compile_pipeline(
    config: SoukConfig, layout: HomeLayout, target: Target
) -> CompiledPipeline:
    """The DAG of `create_pipeline` for the shop whose tables lie in `layout`.

    Args:
      config: the shop's preset, without the target's choices; shop, dates and gates
        are defaults that a run may change.
      layout: home on this machine, for which tables the shop has; no path of it stays.
      target: image, artifact store, choices and the runs' default parameters.

    Raises:
      ConfigError: the shop's name or the pipeline root is not one that KFP takes, a
        shop without events is to be refitted, settings differ from the shop's preset,
        or the cluster's settings name a step that there is not.
    """
    uris.check_remote(target.pipeline_root, "--pipeline-root")
    if target.refit and not config.shop.has_events:
        raise ConfigError(
            "`--refit` must be of a shop with events. Received: "
            f"{layout.shop!r}, which has none and keeps nothing back to measure on."
        )
    _check_preset(config)
    config = presets.with_choices(config, target.choices)
    _check_steps(target.cluster, config, layout)
    cache = target.cluster.cache
    if target.refit:
        pipeline = create_refit_pipeline(config, layout, cache=cache)
    else:
        pipeline = create_pipeline(config, layout, cache=cache, stock_resolver=True)
    name = pipeline.pipeline_info.pipeline_name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A pipeline's name must be of a-z, 0-9 and -, up to 128 of them. "
            f"Received: {name!r}. Rename the shop."
        )
    components = [n.id for n in pipeline.components if not isinstance(n, Resolver)]
    spec = _compiled_by_tfx(pipeline, target.image)
    tasks = spec["root"]["dag"]["tasks"]
    edit_tasks.replace_resolver(spec, tasks, target.image)
    edit_tasks.use_run_values(tasks, config)
    edit_tasks.use_root(tasks, layout)
    edit_tasks.use_fingerprints(spec, tasks)
    edit_tasks.read_records_in_report(tasks)
    edit_tasks.use_step_entrypoint(spec, tasks, components)
    tables = [
        t for t in run_values.TABLES if (layout.tables / f"{t}.parquet").is_file()
    ]
    prepare = own_tasks.prepare(config, tables, target.choices, refit=target.refit)
    edit_tasks.add(spec, tasks, prepare, target.image)
    edit_runs.use_cluster(spec, tasks, target.cluster)
    defaults: dict[str, str | int] = {
        names.HOME: target.home,
        names.SHOP: layout.shop,
        names.SOURCE: target.source,
        names.DATA: target.data,
        names.SEED: target.seed,
        names.TEST_START: "",
        names.GATES: "{}",
    }
    edit_runs.wrap_in_exit_handler(spec, tasks, defaults, target.image)
    edit_runs.use_cluster(spec, spec["root"]["dag"]["tasks"], target.cluster)
    spec["defaultPipelineRoot"] = target.pipeline_root
    labels = list(spec["deploymentSpec"]["executors"])
    return CompiledPipeline(
        spec, edit_runs.volume(labels, target.cluster.volume_claim, target.home)
    )


def _check_preset(config: SoukConfig) -> None:
    """Prepare makes the run's settings of the shop's preset and the choices alone."""
    preset = presets.for_shop(config.shop, config.splits)
    changed = list(differences(preset, config))
    if changed:
        raise ConfigError(
            "`config` must be the shop's preset (`presets.for_shop`): a run would "
            f"refuse or lose what differs. Received: {'; '.join(changed)}. Name it in "
            "the target, `choices=RunChoices(settings={...})`."
        )


def _check_steps(
    cluster: ClusterConfig, config: SoukConfig, layout: HomeLayout
) -> None:
    """One file of cluster settings may serve the whole DAG and the refit's."""
    pipelines = [create_pipeline(config, layout)]
    if config.shop.has_events:
        pipelines.append(create_refit_pipeline(config, layout))
    known = {node.id for pipeline in pipelines for node in pipeline.components}
    known |= {names.PREPARE, names.ON_EXIT}
    unknown = sorted(set(cluster.steps) - known - {DEFAULT})
    if unknown:
        raise ConfigError(
            f"`steps` of --cluster must name steps of the pipeline, or `{DEFAULT}`. "
            f"Received: {', '.join(unknown)}. Steps: {', '.join(sorted(known))}."
        )


def _compiled_by_tfx(pipeline: Pipeline, image: str) -> dict[str, Any]:
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image=image, use_pipeline_spec_2_1=True)
    )
    spec: dict[str, Any] = runner.run(pipeline, write_out=False)["pipelineSpec"]
    return spec
