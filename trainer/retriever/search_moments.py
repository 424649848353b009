"""Search pages as moments with words: the query, and what was clicked on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core import features
from core.config.retriever import RetrieverConfig
from trainer.data import examples
from trainer.data.log_sample import read_log, share_of_users
from trainer.retriever.catalogue import Catalogue
from trainer.retriever.fit_two_tower import SearchMoments
from trainer.retriever.moments import flat_list, make_moments
from trainer.retriever.text_vectors import embed_distinct_queries

if TYPE_CHECKING:
    import tensorflow_transform as tft

SPLITS = ("train", "eval")


def read_search_moments(
    uri: str,
    encoder: Any,
    catalogue: Catalogue,
    transform: tft.TFTransformOutput,
    config: RetrieverConfig,
) -> SearchMoments | None:
    """Both splits of JoinHistory's `searches`; None where nobody searched.

    Of more than `config.max_moments` pages, those of a share of the users.

    Args:
      uri: `searches` Examples.
      encoder: has `embed_queries`; each distinct query is embedded once.
      catalogue: gives catalogue rows to item ids.
      transform: the Transform step's graph.
      config: history length, event types and their weights, context columns.
    """
    share = share_of_users(uri, SPLITS, config.max_moments)
    tables = [
        read_log(uri, [split], examples.column_names(uri, split), share)
        for split in SPLITS
    ]
    queries = [table.column(features.QUERY).to_pylist() for table in tables]
    if not queries[0]:
        return None
    texts = [(text or "").strip() for split in queries for text in split]
    vectors, rows = embed_distinct_queries(encoder, texts)
    train, evaluate = (
        make_moments(with_targets(table, config), catalogue, transform, config, part)
        for table, part in zip(tables, np.split(rows, [len(queries[0])]), strict=True)
    )
    return SearchMoments(train=train, evaluate=evaluate, query_vectors=vectors)


def with_targets(pages: pa.Table, config: RetrieverConfig) -> pa.Table:
    """Pages with target_item_ids and target_events: what was done, not what was shown.

    An item's event is the heaviest of what was done with it on the page.

    Args:
      pages: a split of `searches`; shown_item_ids and a list of 0 and 1 per event type.
      config: event types and their weights.
    """
    shown, offsets = flat_list(pages, features.SHOWN_ITEM_IDS)
    event = np.full(len(shown), -1, np.int64)
    for number in np.argsort(config.event_weights, kind="stable"):
        column = features.SHOWN_EVENTS.get(config.event_types[number], "")
        if column in pages.column_names:
            event[flat_list(pages, column)[0].to_numpy(zero_copy_only=False) > 0] = (
                number
            )
    done = np.flatnonzero(event >= 0)
    ends = np.searchsorted(done, offsets)
    types = pa.array(config.event_types, pa.large_string())
    return pages.append_column(
        features.TARGET_ITEM_IDS, _lists(shown.take(pa.array(done)), ends)
    ).append_column(
        features.TARGET_EVENTS, _lists(types.take(pa.array(event[done])), ends)
    )


def _lists(values: pa.Array, offsets: np.ndarray) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values)
