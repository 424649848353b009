"""Reads what search is measured on from Examples artifacts."""

from __future__ import annotations

from collections.abc import Sequence

from components.evaluate_search.evaluate import SearchData
from components.evaluate_search.searches import EVENT_COLUMNS
from core import features
from core.config.limits import MAX_EVENTS
from trainer.data.examples import column_names, read_split, split_dir
from trainer.data.log_sample import read_log, share_of_users

_PAST_SPLITS = ("train", "eval")
_TEST_SPLIT = "test"
_ONLY_SPLIT = "train"  # of items and judgments


def read_search_data(
    items_uri: str,
    judgments_uri: str | None,
    events_uri: str | None,
    context: Sequence[str] = (),
    max_events: int = MAX_EVENTS,
) -> SearchData:
    """The tables of a pipeline run, from the artifacts' folders.

    Of the events only what searches and histories are made of is read, and their
    `context` columns; of more than `max_events`, those of a share of the users. An
    events artifact without a `test` split counts as none.
    """
    judgments = read_split(judgments_uri, _ONLY_SPLIT) if judgments_uri else None
    past = test = None
    if events_uri and split_dir(events_uri, _TEST_SPLIT).exists():
        share = share_of_users(events_uri, (*_PAST_SPLITS, _TEST_SPLIT), max_events)
        stored = set(column_names(events_uri, _TEST_SPLIT))
        wanted = (*EVENT_COLUMNS, features.SESSION_ID, *context)
        held = [name for name in wanted if name in stored]
        test = read_log(events_uri, [_TEST_SPLIT], held, share)
        before = [s for s in _PAST_SPLITS if split_dir(events_uri, s).exists()]
        past = read_log(events_uri, before, held, share) if before else test.slice(0, 0)
    return SearchData(
        items=read_split(items_uri, _ONLY_SPLIT),
        judgments=judgments,
        past=past,
        test=test,
    )
