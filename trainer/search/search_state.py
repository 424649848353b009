"""What a search funnel knows of a batch of queries."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from trainer.funnel.state import FunnelState
from trainer.search.page_items import PageItems
from trainer.search.postings import Sums


class SearchState(NamedTuple):
    """What candidates and features both need of a batch of queries."""

    terms: tf.Tensor  # [B, T] int32 term ids
    sums: Sums  # over the postings, [B, width]
    items: PageItems  # W columns: what the words, their meaning and clicks, or the
    # person's history propose
    signals: tf.Tensor  # [B, S, W] float32 >= 0, in the order of SIGNALS
    best: tf.Tensor  # [B, S] their scale
    matched: tf.Tensor  # [B, W] bool: may be on the page, an item once
    named: tf.Tensor  # [B, W] bool: few hold all of the words, this one does
    scores: tf.Tensor  # [B, W] float32 learned sum of the signals, a feature
    order: tf.Tensor  # [B, W] float32: the same and the tower, picks candidates


class Asked(NamedTuple):
    """What a batch of queries says before any item is picked."""

    queries: tf.Tensor  # [B] string, misspelt words corrected
    terms: tf.Tensor  # [B, T] int32
    sums: Sums
    open_: tf.Tensor  # [B, n + 1] bool: may be shown; nothing without a word
    bm25: tf.Tensor  # [B, n + 1] float32, 0 where not open
    clicks: tuple[tf.Tensor, tf.Tensor]  # `QueryClickIndex.of`
    personal: FunnelState
    rough: tf.Tensor  # [B, n + 1] the funnel's scores of every item
