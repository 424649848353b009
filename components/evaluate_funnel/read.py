"""Reads a test set from Examples artifacts."""

from __future__ import annotations

import pyarrow as pa

from components.evaluate_funnel.test_set import TestSet, build_test_set
from core import features
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig
from trainer.data.examples import read_split, split_dir

TEST_SPLIT = "test"
_ALL_SPLITS = ("train", "eval", "test")
_ITEM_COLUMNS = (
    features.ITEM_ID,
    features.TITLE,
    features.CATEGORY,
    features.PRICE,
)


def read_test_set(
    moments_uri: str,
    items_uri: str,
    events_uri: str,
    shop: ShopConfig,
    config: EvaluationConfig,
) -> TestSet:
    """The test set of a pipeline run, from the artifacts' folders."""
    items = read_split(items_uri, "train")
    kept = [name for name in _ITEM_COLUMNS if name in items.column_names]
    columns = [
        features.USER_ID,
        features.ITEM_ID,
        features.EVENT,
        features.TIMESTAMP,
    ]
    splits = [s for s in _ALL_SPLITS if split_dir(events_uri, s).exists()]
    events = pa.concat_tables([read_split(events_uri, s, columns) for s in splits])
    return build_test_set(
        read_split(moments_uri, TEST_SPLIT),
        items.select(kept),
        events,
        shop,
        max_moments=config.max_moments,
        seed=config.seed,
    )
