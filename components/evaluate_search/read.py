"""Reads what search is measured on from Examples artifacts."""

from __future__ import annotations

import pyarrow as pa

from components.evaluate_search.evaluate import SearchData
from trainer.data.examples import read_split, split_dir

_PAST_SPLITS = ("train", "eval")
_TEST_SPLIT = "test"
_ONLY_SPLIT = "train"  # of items and judgments


def read_search_data(
    items_uri: str, judgments_uri: str | None, events_uri: str | None
) -> SearchData:
    """The tables of a pipeline run, from the artifacts' folders.

    An events artifact without a `test` split counts as none.
    """
    judgments = read_split(judgments_uri, _ONLY_SPLIT) if judgments_uri else None
    past = test = None
    if events_uri and split_dir(events_uri, _TEST_SPLIT).exists():
        before = [s for s in _PAST_SPLITS if split_dir(events_uri, s).exists()]
        test = read_split(events_uri, _TEST_SPLIT)
        parts = [read_split(events_uri, split) for split in before]
        past = pa.concat_tables(parts) if parts else test.slice(0, 0)
    return SearchData(
        items=read_split(items_uri, _ONLY_SPLIT),
        judgments=judgments,
        past=past,
        test=test,
    )
