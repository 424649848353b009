"""Runs the DAG on this machine, in this process."""

from __future__ import annotations

import logging

from rich.console import Console
from tfx.orchestration.pipeline import Pipeline

from core.config.souk import SoukConfig
from core.errors import SoukError
from core.layout import HomeLayout
from pipeline import engines, observed_runner
from pipeline.create_pipeline import create_pipeline, create_refit_pipeline
from pipeline.engines import BeamEngine
from pipeline.progress import ProgressHandler


def run_local(
    config: SoukConfig,
    layout: HomeLayout,
    console: Console,
    *,
    cache: bool = True,
    refit: bool = False,
    engine: BeamEngine | None = None,
) -> dict[str, float]:
    """Runs every component that is not cached; returns seconds by component.

    Args:
      config: all settings.
      layout: where everything is read and written.
      console: shows progress.
      cache: reuse what did not change.
      refit: run the shorter DAG that trains on everything.
      engine: where Beam steps run; by default in this process.

    Raises:
      SoukError: a component refused its input; what Beam or TFX wrapped around it is
        taken off. Any other failure of a component comes as it is.
    """
    create = create_refit_pipeline if refit else create_pipeline
    with engines.started(engine or BeamEngine(), layout.home) as beam_args:
        pipeline = create(config, layout, cache=cache, beam_args=beam_args)
        return _run(pipeline, console)


def _run(pipeline: Pipeline, console: Console) -> dict[str, float]:
    with ProgressHandler(console, len(pipeline.components)) as progress:
        try:
            observed_runner.run(pipeline)
        except Exception as error:
            logging.getLogger(__name__).exception("The run stopped.")
            ours = _souk_error(error)
            if ours is None or ours is error:
                raise
            raise ours from error
    return progress.seconds


def _souk_error(error: BaseException | None) -> SoukError | None:
    """The first of souk's errors among an error and its causes."""
    while error is not None:
        if isinstance(error, SoukError):
            return error
        error = error.__cause__ or error.__context__
    return None
