"""Reads a test set from Examples artifacts."""

from __future__ import annotations

from components.evaluate_funnel.test_set import TestSet, build_test_set
from core import features
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig
from trainer.data.examples import column_names, read_split
from trainer.data.log_sample import read_log, share_of_users

TEST_SPLIT = "test"
# Not every moment has a relevant item, so more are read than measured.
_MOMENTS_READ = 8  # times `max_moments`
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
    """The test set of a pipeline run, from the artifacts' folders.

    Larger than a worker's memory, it is that of a share of the users: their moments,
    and popularity, ownership and baselines from their events.
    """
    items = read_split(items_uri, "train")
    kept = [name for name in _ITEM_COLUMNS if name in items.column_names]
    columns = [
        features.USER_ID,
        features.ITEM_ID,
        features.EVENT,
        features.TIMESTAMP,
    ]
    share = share_of_users(events_uri, _ALL_SPLITS, config.max_events)
    most = _MOMENTS_READ * config.max_moments
    wanted = column_names(moments_uri, TEST_SPLIT)
    return build_test_set(
        read_log(
            moments_uri,
            [TEST_SPLIT],
            wanted,
            min(share, share_of_users(moments_uri, [TEST_SPLIT], most)),
        ),
        items.select(kept),
        read_log(events_uri, _ALL_SPLITS, columns, share),
        shop,
        max_moments=config.max_moments,
        seed=config.seed,
    )
