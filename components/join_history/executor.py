"""Examples of events → Examples of moments and of search pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components import arrow_elements, data_artifacts
from components.join_history import (
    join_in_beam,
    make_moments,
    make_searches,
    searches_in_beam,
)
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
            - searches: Examples, splits of `make_searches.SPLITS`.
          exec_properties:
            - splits, config: JSON of SplitConfig and MomentConfig.
            - event_types: JSON list of the shop's event types.
            - context_features: JSON list of the shop's context columns.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        events = artifact_utils.get_single_instance(input_dict["events"])
        moments = artifact_utils.get_single_instance(output_dict["moments"])
        searches = artifact_utils.get_single_instance(output_dict["searches"])
        context = json.loads(exec_properties["context_features"])
        event_types = json.loads(exec_properties["event_types"])
        splits = SplitConfig.from_json(exec_properties["splits"])
        config = MomentConfig.from_json(exec_properties["config"])
        names = artifact_utils.decode_split_names(events.split_names)
        groups = arrow_elements.row_groups(events.uri, names)
        rows = arrow_elements.num_rows(events.uri, names)
        num_buckets = max(config.num_buckets, -(-rows // config.events_per_bucket))
        config = config.replace(num_buckets=num_buckets)
        with self._make_beam_pipeline() as pipeline:
            buckets = (
                pipeline
                | "RowGroups" >> beam.Create(groups)
                | "BucketByUser"
                >> join_in_beam.BucketByUser(config.num_buckets, context)
            )
            _ = buckets | "JoinHistory" >> join_in_beam.JoinHistory(
                moments.uri, splits, config, context
            )
            _ = buckets | "FindSearches" >> searches_in_beam.FindSearches(
                searches.uri, splits, config, event_types, context
            )
        outputs = (
            (moments, make_moments.SPLITS, make_moments.moments_schema(context)),
            (
                searches,
                make_searches.SPLITS,
                make_searches.searches_schema(event_types, context),
            ),
        )
        for artifact, split_names, schema in outputs:
            examples.fill_empty_splits(artifact.uri, split_names, schema)
            shutil.rmtree(Path(artifact.uri) / ".staging", ignore_errors=True)
            data_artifacts.mark_as_parquet(artifact, split_names, events.span)
        say("JoinHistory", f"moments: {_counts(moments.uri, make_moments.SPLITS)}")
        pages = _counts(searches.uri, make_searches.SPLITS)
        say("JoinHistory", f"search pages: {pages}")


def _counts(uri: str, splits: Sequence[str]) -> str:
    """Rows of each split, in words."""
    counts = {
        split: sum(
            pq.read_metadata(file).num_rows
            for file in examples.split_dir(uri, split).glob("*.parquet")
        )
        for split in splits
    }
    return ", ".join(f"{n:,} {split}" for split, n in counts.items())
