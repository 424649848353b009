"""The one DAG, for every runner."""

from __future__ import annotations

from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from core.config.souk import SoukConfig
from core.layout import HomeLayout
from pipeline.stages.data import data_stage
from pipeline.stages.models import model_stage
from pipeline.stages.release import release_stage


def create_pipeline(
    config: SoukConfig, layout: HomeLayout, *, cache: bool = True
) -> Pipeline:
    """Tables in `layout.tables` → a model in `layout.serving` and a report.

    Args:
      config: all settings.
      layout: where everything is read and written.
      cache: reuse the outputs of steps whose inputs and settings did not change.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    data = data_stage(config, layout)
    models = model_stage(config, data)
    release = release_stage(config, layout, data, models)
    return Pipeline(
        pipeline_name=f"souk-{layout.shop}",
        pipeline_root=str(layout.tfx),
        components=[*data.nodes, *models.nodes, *release],
        enable_cache=cache,
        metadata_connection_config=sqlite_metadata_connection_config(
            str(layout.metadata)
        ),
        # One process: a second one costs more to start than it saves at this size.
        beam_pipeline_args=[
            "--direct_running_mode=in_memory",
            "--direct_num_workers=1",
        ],
    )
