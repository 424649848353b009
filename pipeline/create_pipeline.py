"""The DAG, for every runner, and its shorter form that refits on everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from components.gates.serving_gate import ServingGate
from components.pusher.component import AtomicPusher
from core.config.souk import SoukConfig
from core.layout import HomeLayout
from pipeline import beam_options
from pipeline.stages.data import data_stage
from pipeline.stages.models import model_stage
from pipeline.stages.release import release_stage
from pipeline.stages.without_events import stages_without_events


def create_pipeline(
    config: SoukConfig,
    layout: HomeLayout,
    *,
    cache: bool = True,
    beam_args: Sequence[str] | None = None,
    hold: bool = False,
    stock_resolver: bool = False,
) -> Pipeline:
    """Tables in `layout.tables` → a model in `layout.serving` and a report.

    Args:
      config: all settings; of a shop without events, the shorter DAG.
      layout: where everything is read and written.
      cache: reuse the outputs of steps whose inputs and settings did not change.
      beam_args: options of every Beam step (pipeline/beam_options.py); by default those
        of the direct runner.
      hold: a blessed model waits for its refit and is not pushed.
      stock_resolver: LastBlessed is TFX's own, the only one that TFX compiles for
        Kubeflow; what takes its place there looks for a comparable model, as ours does.
    """
    if config.shop.has_events:
        data = data_stage(config, layout)
        models = model_stage(config, data)
        release = release_stage(
            config, layout, data, models, hold=hold, stock_resolver=stock_resolver
        )
        nodes = [*data.nodes, *models.nodes, *release]
    else:
        nodes = stages_without_events(config, layout)
    name = f"souk-{layout.shop}"
    return _pipeline(name, layout.tfx, nodes, layout, cache, beam_args)


def create_refit_pipeline(
    config: SoukConfig,
    layout: HomeLayout,
    *,
    cache: bool = True,
    beam_args: Sequence[str] | None = None,
) -> Pipeline:
    """The accepted settings trained on everything → a model in `layout.serving`.

    There is no later period to measure it on: the gates judged the same settings
    before; here the bundle only has to load in the model server and answer.

    Args:
      config: the accepted settings, with `test_start` moved behind the newest event.
      layout: where everything is read and written.
      cache: reuse the outputs of steps whose inputs and settings did not change.
      beam_args: options of every Beam step (pipeline/beam_options.py); by default those
        of the direct runner.
    """
    data = data_stage(config, layout)
    models = model_stage(config, data)
    gate = ServingGate(model=models.bundle, config=config.gates.to_json())
    pusher = AtomicPusher(
        model=models.bundle,
        model_blessing=gate.outputs["blessing"],
        serving_dir=layout.serving,
    ).with_id("Pusher")
    nodes = [*data.nodes, *models.nodes, gate, pusher]
    name = f"souk-{layout.shop}-refit"
    root = layout.tfx / "refit"
    return _pipeline(name, root, nodes, layout, cache, beam_args)


def _pipeline(
    name: str,
    root: Path,
    nodes: list[BaseNode],
    layout: HomeLayout,
    cache: bool,
    beam_args: Sequence[str] | None,
) -> Pipeline:
    layout.root.mkdir(parents=True, exist_ok=True)
    return Pipeline(
        pipeline_name=name,
        pipeline_root=str(root),
        components=nodes,
        enable_cache=cache,
        metadata_connection_config=sqlite_metadata_connection_config(
            str(layout.metadata)
        ),
        beam_pipeline_args=list(beam_args or beam_options.direct()),
    )
