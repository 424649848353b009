"""Steps of a small shop as functions of Beam's options, and their outputs' folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen import executor as statistics_executor
from tfx.components.transform import executor as transform_executor
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import transform_pb2
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components import data_artifacts
from components.join_history import executor as join_executor
from components.statistics_options import lean_stats_options
from core.config.moments import MomentConfig
from core.config.transform import TransformConfig
from tests.components import shop_tables
from tests.components.shop_tables import DAY, SHOP
from trainer.data import examples

NUM_USERS, NUM_ITEMS, NUM_EVENTS = 400, 50, 12_000


def clean_events() -> pa.Table:
    """Denormalized events as Clean leaves them: 400 users, 50 items, 50 days."""
    random = np.random.default_rng(7)
    items = random.integers(NUM_ITEMS, size=NUM_EVENTS)
    prices = np.exp(random.normal(3, 1, NUM_ITEMS)).astype(np.float32)
    count = NUM_EVENTS
    events = pa.table(
        {
            "user_id": [f"u{n:04d}" for n in random.integers(NUM_USERS, size=count)],
            "item_id": [f"i{n}" for n in items],
            "event": random.choice(["view", "purchase"], count).tolist(),
            "timestamp": np.sort(random.integers(60 * DAY, 110 * DAY, count)),
            "quantity": pa.array(random.integers(1, 5, count), pa.float32()),
            "event_price": pa.array(prices[items], pa.float32()),
            "query": random.choice(["tea", "mug", ""], count).tolist(),
            "session_id": [f"s{n}" for n in random.integers(3_000, size=count)],
            "position": pa.array(random.integers(6, size=count), pa.int64()),
            "country": random.choice(["FR", "DE", "PT"], count).tolist(),
            "title": [f"Item {n} of tea" for n in items],
            "description": [f"It is number {n}." for n in items],
            "brand": [f"Brand {n % 5}" for n in items],
            "category": [f"Home > Shelf {n % 7}" for n in items],
            "price": pa.array(prices[items], pa.float32()),
        }
    )
    return events


def write_events(folder: Path) -> standard_artifacts.Examples:
    """The events as an Examples artifact of four shards."""
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder)
    examples.write_split(artifact.uri, "train", clean_events(), num_shards=4)
    data_artifacts.mark_as_parquet(artifact, ["train"])
    return artifact


def join(events: Any, beam_args: Sequence[str], folder: Path) -> None:
    """JoinHistory into `folder`/moments and /searches."""
    outputs = {name: standard_artifacts.Examples() for name in ("moments", "searches")}
    for name, artifact in outputs.items():
        artifact.uri = str(folder / name)
    join_executor.Executor(context(beam_args, folder)).Do(
        {"events": [events]},
        {name: [artifact] for name, artifact in outputs.items()},
        {
            "splits": shop_tables.SPLITS.to_json(),
            "config": MomentConfig().to_json(),
            "event_types": json.dumps(SHOP.event_types),
            "context_features": json.dumps(SHOP.context_features),
        },
    )


def statistics(events: Any, beam_args: Sequence[str], folder: Path) -> None:
    """StatisticsGen into `folder`/statistics."""
    output = standard_artifacts.ExampleStatistics()
    output.uri = str(folder / "statistics")
    statistics_executor.Executor(context(beam_args, folder)).Do(
        {"examples": [events]},
        {"statistics": [output]},
        {
            "stats_options_json": lean_stats_options().to_json(),
            "exclude_splits": json_utils.dumps([]),
        },
    )


def write_schema(statistics_folder: Path, folder: Path) -> standard_artifacts.Schema:
    """The schema that these statistics suggest."""
    file = next(statistics_folder.rglob("FeatureStats.pb"))
    loaded = tfdv.load_stats_binary(str(file))
    schema = tfdv.infer_schema(loaded, infer_feature_shape=False)
    folder.mkdir()
    tfdv.write_schema_text(schema, str(folder / "schema.pbtxt"))
    artifact = standard_artifacts.Schema()
    artifact.uri = str(folder)
    return artifact


def transform(events: Any, schema: Any, beam_args: Sequence[str], folder: Path) -> None:
    """Transform's graph, as the pipeline asks for it, into `folder`/transform_graph."""
    output = standard_artifacts.TransformGraph()
    output.uri = str(folder / "transform_graph")
    splits = transform_pb2.SplitsConfig(analyze=["train"], transform=[])
    config = TransformConfig.for_shop(SHOP)
    transform_executor.Executor(context(beam_args, folder)).Do(
        {"examples": [events], "schema": [schema]},
        {"transform_graph": [output]},
        {
            "module_file": None,
            "preprocessing_fn": "trainer.transform_module.preprocessing_fn",
            "custom_config": json_utils.dumps({"config": config.to_json()}),
            "splits_config": proto_utils.proto_to_json(splits),
            "force_tf_compat_v1": 0,
            "disable_statistics": 1,
        },
    )


def context(beam_args: Sequence[str], folder: Path) -> Any:
    """What a TFX runner hands to an executor."""
    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(beam_args), tmp_dir=str(folder / "tmp"), unique_id="1"
    )
