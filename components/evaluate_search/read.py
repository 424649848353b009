"""Reads what search is measured on from Examples artifacts."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from components.evaluate_search.evaluate import SearchData
from components.evaluate_search.searches import EVENT_COLUMNS
from core import features
from trainer.data.examples import column_names, read_split, split_dir

_PAST_SPLITS = ("train", "eval")
_TEST_SPLIT = "test"
_ONLY_SPLIT = "train"  # of items and judgments


def read_search_data(
    items_uri: str,
    judgments_uri: str | None,
    events_uri: str | None,
    context: Sequence[str] = (),
) -> SearchData:
    """The tables of a pipeline run, from the artifacts' folders.

    Of the events only what searches and histories are made of is read, and their
    `context` columns. An events artifact without a `test` split counts as none.
    """
    judgments = read_split(judgments_uri, _ONLY_SPLIT) if judgments_uri else None
    past = test = None
    if events_uri and split_dir(events_uri, _TEST_SPLIT).exists():
        before = [s for s in _PAST_SPLITS if split_dir(events_uri, s).exists()]
        stored = set(column_names(events_uri, _TEST_SPLIT))
        wanted = (*EVENT_COLUMNS, features.SESSION_ID, *context)
        held = [name for name in wanted if name in stored]
        test = read_split(events_uri, _TEST_SPLIT, held)
        parts = [read_split(events_uri, split, held) for split in before]
        past = pa.concat_tables(parts) if parts else test.slice(0, 0)
    return SearchData(
        items=read_split(items_uri, _ONLY_SPLIT),
        judgments=judgments,
        past=past,
        test=test,
    )
