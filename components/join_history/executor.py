"""Examples of events → Examples of moments."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components import data_artifacts
from components.join_history import join_in_beam, make_moments
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig
from core.progress import say
from trainer.data import examples


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the join, then gives every split at least an empty file."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Joins each user's history.

        Args:
          input_dict:
            - events: Examples of clean events, all splits are read.
          output_dict:
            - moments: Examples, splits of `make_moments.SPLITS`.
          exec_properties:
            - splits, config: JSON of SplitConfig and MomentConfig.
            - context_features: JSON list of the shop's context columns.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        events = artifact_utils.get_single_instance(input_dict["events"])
        moments = artifact_utils.get_single_instance(output_dict["moments"])
        context = json.loads(exec_properties["context_features"])
        names = artifact_utils.decode_split_names(events.split_names)
        groups = join_in_beam.row_groups(events.uri, names)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "RowGroups" >> beam.Create(groups)
                | "JoinHistory"
                >> join_in_beam.JoinHistory(
                    moments.uri,
                    SplitConfig.from_json(exec_properties["splits"]),
                    MomentConfig.from_json(exec_properties["config"]),
                    context,
                )
            )
        _fill_empty_splits(moments.uri, context)
        shutil.rmtree(Path(moments.uri) / ".staging", ignore_errors=True)
        data_artifacts.mark_as_parquet(moments, make_moments.SPLITS, events.span)
        say("JoinHistory", _in_words(moments.uri))


def _in_words(uri: str) -> str:
    """Moments of each split."""
    counts = {
        split: sum(
            pq.read_metadata(file).num_rows
            for file in examples.split_dir(uri, split).glob("*.parquet")
        )
        for split in make_moments.SPLITS
    }
    return "moments: " + ", ".join(f"{n:,} {split}" for split, n in counts.items())


def _fill_empty_splits(uri: str, context: list[str]) -> None:
    empty = make_moments.moments_schema(context).empty_table()
    for split in make_moments.SPLITS:
        if not any(examples.split_dir(uri, split).glob("*.parquet")):
            examples.write_split(uri, split, empty)
