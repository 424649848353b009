"""Runs the DAG on this machine."""

from __future__ import annotations

import functools
import logging

from rich.console import Console
from tfx.orchestration.pipeline import Pipeline

from core.config.souk import SoukConfig
from core.errors import ConfigError, souk_error_in
from core.layout import HomeLayout
from pipeline import engines
from pipeline.create_pipeline import create_pipeline, create_refit_pipeline
from pipeline.engines import BeamEngine
from pipeline.local.dag import DagRunner, may_fork
from pipeline.local.store import check_store
from pipeline.progress import ProgressHandler


def run_local(
    config: SoukConfig,
    layout: HomeLayout,
    console: Console,
    *,
    cache: bool = True,
    refit: bool = False,
    hold: bool = False,
    engine: BeamEngine | None = None,
    jobs: int = 1,
) -> None:
    """Runs every component that is not cached.

    Args:
      config: all settings.
      layout: where everything is read and written.
      console: shows progress.
      cache: reuse what did not change.
      refit: run the shorter DAG that trains on everything.
      hold: of the whole DAG: a refit follows, which is what is pushed.
      engine: where Beam steps run; by default where the step itself runs.
      jobs: steps that run at once, each in a fork of this process, which must not have
        used TensorFlow, gRPC or Beam before; 1: in this process, one after the other.

    Raises:
      ArtifactError: the metadata store of earlier runs is damaged.
      ConfigError: several jobs, and TensorFlow has run in this process.
      SoukError: a component refused its input; what Beam or TFX wrapped around it is
        taken off. Any other failure of a component comes as it is.
    """
    check_store(layout)
    if jobs > 1 and not may_fork():
        raise ConfigError(
            "`jobs` must be 1 where TensorFlow has run in this process: a step in a "
            f"fork of it would wait for ever. Received: {jobs}. Leave `jobs` out, or "
            "run from a process that has not used TensorFlow, such as `souk run`."
        )
    create = (
        create_refit_pipeline
        if refit
        else functools.partial(create_pipeline, hold=hold)
    )
    with engines.started(engine or BeamEngine(), layout.home) as beam_args:
        pipeline = create(config, layout, cache=cache, beam_args=beam_args)
        _run(pipeline, console, jobs)


def _run(pipeline: Pipeline, console: Console, jobs: int) -> None:
    alone = jobs == 1
    count = len(pipeline.components)
    with ProgressHandler(console, count, own_thread=alone) as progress:
        try:
            DagRunner(jobs, refresh=progress.refresh).run(pipeline)
        except Exception as error:
            logging.getLogger(__name__).exception("The run stopped.")
            ours = souk_error_in(error)
            if ours is None or ours is error:
                raise
            raise ours from error
