"""From words to candidates and ranker features, in the graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.search import SearchConfig
from trainer.funnel.candidates import LOWEST, best_candidates, top_rows
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import Fusion, FusionWeights
from trainer.funnel.history_features import slots_at
from trainer.funnel.scores import pick, pick_rows, products_at, segment_ids
from trainer.funnel.state import FunnelState
from trainer.moment import Moment, tower_inputs
from trainer.search.lexical import LexicalIndex
from trainer.search.postings import Sums
from trainer.search.query_click_index import QueryClickIndex

# What the first stage weighs; each is 0 where it says nothing.
SIGNALS = ("bm25", "coverage", "dense", "rrf", "click_rate", "clicks", "person")
# Documented defaults for a shop without clicks to learn from: BM25, the share of the
# words and meaning count alike, taste breaks ties. Reciprocal ranks count for nothing:
# they weigh an encoder's guesses like its findings (docs/search-evaluation.md).
PRIOR = FusionWeights(
    names=SIGNALS,
    linear=(0.5, 0.5, 0.5, 0.0, 1.0, 0.5, 0.05),
    root=(0.0,) * len(SIGNALS),
)
_CLICKS = SIGNALS.index("clicks")


class SearchState(NamedTuple):
    """What candidates and features both need of a batch of queries."""

    terms: tf.Tensor  # [B, T] int32 term ids
    sums: Sums  # over the postings, [B, width]
    signals: tf.Tensor  # [B, S, n + 1] float32 >= 0, in the order of SIGNALS
    best: tf.Tensor  # [B, S] their scale
    matched: tf.Tensor  # [B, n + 1] bool: may be on the page
    scores: tf.Tensor  # [B, n + 1] float32 learned sum of the signals, a feature
    order: tf.Tensor  # [B, n + 1] float32: the same and the tower, picks candidates


class SearchFunnel(tf.Module):
    """Lexical and dense retrieval, what people clicked for the words, and the person.

    Args:
      funnel: the personal side, as of the cut-off of the moments.
      lexical: the catalogue's inverted index.
      encoder: has `embed_queries`, texts [B] to [B, d], norm 1 or 0.
      item_vectors: [n, d] float32 of the same encoder, in catalogue order.
      clicks: what was clicked for which query, as of the same cut-off.
      config: sizes.
      fusion: the first stage's weights; None: the documented defaults.
      retriever: has `embed_search`; `funnel` then holds its item embeddings. None: a
        shop without one, or `config.tower_weight` 0: no tower.
    """

    def __init__(
        self,
        funnel: CandidateFunnel,
        lexical: LexicalIndex,
        encoder: Any,
        item_vectors: npt.NDArray[np.float32],
        clicks: QueryClickIndex,
        config: SearchConfig | None = None,
        fusion: FusionWeights | None = None,
        retriever: Any = None,
    ) -> None:
        super().__init__(name="search_funnel")
        self.config = config or SearchConfig()
        self.retriever = retriever if self.config.tower_weight else None
        self.funnel = funnel
        self.lexical = lexical
        self.encoder = encoder
        self.clicks = clicks
        self.num_items = funnel.num_items
        padded = np.concatenate([item_vectors, np.zeros_like(item_vectors[:1])])
        self.vectors = tf.Variable(
            np.ascontiguousarray(padded.T), trainable=False, name="text_vectors"
        )
        self.fusion = Fusion(PRIOR)
        if fusion is not None:
            self.fusion.assign(fusion)
        self.feature_names = (*funnel.feature_names, *self._query_names())

    def state(
        self,
        queries: tf.Tensor,
        moment: Moment,
        personal: FunnelState,
        allowed: tf.Tensor | None = None,
    ) -> SearchState:
        """Signals of every item for queries [B] string.

        Args:
          moment: who searches, when.
          personal: the funnel's state of the same moments.
          allowed: [B, n] bool, applied before anything is cut; None: everything.
        """
        n = self.num_items
        terms = self.lexical.terms(queries)
        sums = self.lexical.sums(terms)
        some = tf.math.count_nonzero(self.lexical.is_term(terms), axis=1) > 0
        open_ = tf.ones([1, n], tf.bool) if allowed is None else allowed
        open_ = tf.pad(open_ & some[:, None], [[0, 0], [0, 1]])
        bm25 = tf.where(open_, sums.scores[:, : n + 1], 0.0)
        words = self.encoder.embed_queries(queries)
        coverage = self.lexical.coverage(terms, sums)
        clicks = self.clicks.dense(queries)
        person = _unit(self.funnel.everywhere(personal))

        def combined(dense: tf.Tensor, rrf: tf.Tensor) -> tuple[tf.Tensor, ...]:
            parts = [bm25, coverage, dense, rrf, clicks[:, 0], clicks[:, 1], person]
            signals = tf.stack(parts, axis=1)
            best = self._scales(signals)
            return signals, best, self.fusion((signals,), best)

        dense = self._cosines(words, open_)
        if self.config.feedback_items:
            first = combined(dense, tf.zeros_like(dense))[2]
            moved = self._moved(words, tf.where(open_, first, LOWEST))
            dense = self._cosines(moved, open_)
        rrf = self._reciprocal_ranks(
            (bm25, self.config.lexical_candidates),
            (dense, self.config.dense_candidates),
        )
        own = tf.reshape(personal.person.slot_of, [-1, n + 1]) > 0
        matched = (rrf > 0) | (clicks[:, 1] > 0) | (own & (coverage > 0))
        signals, best, scores = combined(dense, rrf)
        order = scores
        if self.retriever is not None:
            inputs = tower_inputs(moment, self.funnel.shop.context_features)
            asked = self.retriever.embed_search(words, *inputs)
            near = self._near(asked, tf.where(matched & open_, scores, LOWEST))
            order += self.config.tower_weight * tf.where(open_, near, 0.0)
        return SearchState(terms, sums, signals, best, matched & open_, scores, order)

    def retrieve(self, state: SearchState) -> tf.Tensor:
        """[B, C] int32 candidates, best first; n pads."""
        scores = tf.where(state.matched, state.order, LOWEST)
        return best_candidates(scores, self.config.num_candidates)

    def features(
        self,
        moment: Moment,
        rows: tf.Tensor,
        *,
        personal: FunnelState,
        state: SearchState,
    ) -> tf.Tensor:
        """[B, C, F + M] float32: the person's features, then the query's.

        Args:
          rows: [B, C] int32 catalogue rows; n pads.
        """
        personal = self.funnel.at(personal, rows)
        found = self.funnel.features(moment, rows, state=personal)
        matches = self.lexical.matches(state.terms, rows, state.sums)
        signals = pick_rows(state.signals, rows)
        shares = tf.math.divide_no_nan(signals, state.best[:, :, None])
        fused = pick(tf.reshape(state.scores, [-1]), rows, self.num_items + 1)
        parts = [
            found,
            matches,
            tf.transpose(shares, [0, 2, 1]),
            fused[..., None],
            self._price_fit(rows, state),
        ]
        return tf.concat(parts, axis=-1)

    def evidence(
        self, rows: tf.Tensor, personal: FunnelState, state: SearchState
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[B, k] each, > 0 where it holds: own history, words, clicks for the query."""
        found = pick_rows(state.signals, rows)
        words = found[:, SIGNALS.index("coverage")]
        own = slots_at(personal.person.slot_of, rows, self.num_items)
        return tf.cast(own, tf.float32), words, found[:, _CLICKS]

    def _query_names(self) -> tuple[str, ...]:
        names = [*self.lexical.match_names, *(f"{s}_share" for s in SIGNALS)]
        return tuple(f"query_{name}" for name in (*names, "fused", "price_fit"))

    def _scales(self, signals: tf.Tensor) -> tf.Tensor:
        """[B, S]: what each signal is a share of."""
        # Coverage, cosine, click rate and the person's share are on one scale for all.
        relative = ("bm25", "rrf", "clicks", *self.config.also_relative)
        scaled = tf.constant([name in relative for name in SIGNALS])
        return tf.where(scaled, tf.reduce_max(signals, axis=2), 1.0)

    def _cosines(self, words: tf.Tensor, open_: tf.Tensor) -> tf.Tensor:
        """[B, n + 1] of query vectors [B, d]; 0 below 0 and where nothing is open."""
        dense = tf.nn.relu(tf.matmul(words, self.vectors))
        return tf.where(open_, dense, 0.0)

    def _near(self, asked: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        """[B, n + 1] the tower's cosine, at least 0, of queries [B, d].

        In a large catalogue of the best by scores [B, n + 1] alone, 0 of others: more
        hardly match a query.
        """
        constants, width = self.funnel.constants, self.num_items + 1
        if not constants.shelf:
            return tf.nn.relu(constants.tower_scores(asked))
        rows = best_candidates(scores, self.funnel.num_weighed)
        near = products_at(constants.tower_table, asked, rows)
        total = tf.shape(asked)[0] * width
        flat = tf.math.unsorted_segment_sum(near, segment_ids(rows, width), total)
        return tf.reshape(flat, [-1, width])

    def _moved(self, words: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        """[B, d] query vectors, moved towards the mean of the best items' vectors.

        Pseudo-relevance feedback (Rocchio 1971). A query without items stays put.
        """
        values, rows = top_rows(scores, self.config.feedback_items)
        # An item that is ruled out is like the pad, whose vector is 0.
        rows = tf.where(values > LOWEST / 2, rows, self.num_items)
        found = tf.gather(self.vectors.read_value(), rows, axis=1)
        mean = tf.transpose(tf.reduce_mean(found, axis=2))
        return tf.math.l2_normalize(words + self.config.feedback_weight * mean, axis=1)

    def _reciprocal_ranks(self, *lists: tuple[tf.Tensor, int]) -> tf.Tensor:
        """[B, n + 1] sum of 1 / (k + rank) over the lists; 0 for what is in none.

        The lists side by side in one scatter.

        Args:
          lists: score rows [B, n + 1], and how many of the best make the list.
        """
        width = self.num_items + 1
        rows, gains = [], []
        for scores, size in lists:
            values, found = top_rows(scores, min(size, width))
            ranks = tf.range(1, values.shape[1] + 1, dtype=tf.float32)
            gain = tf.math.reciprocal(ranks + float(self.config.rrf_k))
            rows.append(tf.where(values > 0, found, self.num_items))
            gains.append(tf.where(values > 0, gain, 0.0))
        found, gain = tf.concat(rows, axis=1), tf.concat(gains, axis=1)
        batch = tf.shape(found)[0]
        flat = found + width * tf.range(batch)[:, None]
        summed = tf.math.unsorted_segment_sum(gain, flat, batch * width)
        return tf.reshape(summed, [batch, width])

    def _price_fit(self, rows: tf.Tensor, state: SearchState) -> tf.Tensor:
        """[B, C, 1] distance of the price from the mean of what was clicked for it."""
        prices = self.funnel.constants.compared[:, 0]
        weights = state.signals[:, _CLICKS]
        total = tf.reduce_sum(weights, axis=1)
        mean = tf.math.divide_no_nan(tf.linalg.matvec(weights, prices), total)
        distance = tf.abs(tf.gather(prices, rows) - mean[:, None])
        return tf.where(total[:, None] > 0, distance, 0.0)[..., None]


def _unit(scores: tf.Tensor) -> tf.Tensor:
    """[B, n + 1] in [0, 1]: height above the mean over the best's; LOWEST gives 0."""
    real = tf.cast(scores > LOWEST / 2, tf.float32)
    safe = scores * real
    mean = tf.math.divide_no_nan(
        tf.reduce_sum(safe, axis=1, keepdims=True),
        tf.reduce_sum(real, axis=1, keepdims=True),
    )
    above = tf.nn.relu(safe - mean) * real
    best = tf.reduce_max(above, axis=1, keepdims=True)
    return tf.math.divide_no_nan(above, best)
