"""From words to candidates and ranker features, in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.search import SearchConfig
from trainer.funnel.candidates import LOWEST, top_rows
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import Fusion, FusionWeights
from trainer.funnel.history_features import slots_at
from trainer.funnel.scores import pick, pick_rows, products_at
from trainer.funnel.state import FunnelState
from trainer.moment import Moment, tower_inputs
from trainer.search.lexical import LexicalIndex
from trainer.search.named_items import named_first, named_items
from trainer.search.page_items import PageItems
from trainer.search.query_click_index import QueryClickIndex
from trainer.search.query_clicks import QueryClicks
from trainer.search.search_state import Asked, SearchState

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

    def swap_clicks(self, clicks: QueryClicks) -> None:
        """Takes what people searched and clicked as of another cut-off."""
        self.clicks.swap(clicks)
        self.lexical.swap_clicks(clicks)

    def state(
        self,
        queries: tf.Tensor,
        moment: Moment,
        personal: FunnelState,
        allowed: tf.Tensor | None = None,
    ) -> SearchState:
        """What speaks for the items that queries [B] string may find.

        Args:
          moment: who searches, when.
          personal: the funnel's state of the same moments.
          allowed: [B, n] bool, applied before anything is cut; None: everything.
        """
        asked = self._asked(queries, personal, allowed)
        words = self.encoder.embed_queries(asked.queries)
        state = self._weighed(asked, words)
        if self.config.feedback_items:
            state = self._weighed(asked, self._moved(words, state))
        if self.retriever is not None:
            inputs = tower_inputs(moment, self.funnel.shop.context_features)
            towers = self.retriever.embed_search(words, *inputs)
            near = self._near(towers, state.items)
            open_ = state.items.picked(asked.open_)
            order = state.order + self.config.tower_weight * tf.where(open_, near, 0.0)
            state = state._replace(order=order)
        return state

    def retrieve(self, state: SearchState) -> tf.Tensor:
        """[B, C] int32 candidates, what is named and then the best first; n pads."""
        order = named_first(state.order, state.named, state.matched)
        scores = tf.where(state.matched, order, LOWEST)
        count = min(self.config.num_candidates, self.num_items)
        return state.items.best(scores, count)

    def ordered(
        self, rows: tf.Tensor, scores: tf.Tensor, state: SearchState
    ) -> tf.Tensor:
        """[B, C] a ranker's scores of candidate rows, raised where they are named."""
        columns, width = state.items.columns(rows), tf.shape(state.named)[1]
        named = pick(tf.reshape(state.named, [-1]), columns, width)
        return named_first(scores, named, rows < self.num_items)

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
          rows: [B, C] int32 catalogue rows, as retrieved of the state; n pads. What it
            has no column for is taken to have no signal.
        """
        personal = self.funnel.at(personal, rows)
        found = self.funnel.features(moment, rows, state=personal)
        matches = self.lexical.matches(state.terms, rows, state.sums)
        columns = state.items.columns(rows)
        signals = pick_rows(state.signals, columns)
        shares = tf.math.divide_no_nan(signals, state.best[:, :, None])
        width = tf.shape(state.scores)[1]
        fused = pick(tf.reshape(state.scores, [-1]), columns, width)
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
        found = pick_rows(state.signals, state.items.columns(rows))
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

    def _asked(
        self, queries: tf.Tensor, personal: FunnelState, allowed: tf.Tensor | None
    ) -> Asked:
        n = self.num_items
        terms, texts, queries = self.lexical.read(queries)
        sums = self.lexical.sums(terms)
        some = tf.math.count_nonzero(self.lexical.is_term(terms), axis=1) > 0
        open_ = tf.ones([1, n], tf.bool) if allowed is None else allowed
        open_ = tf.pad(open_ & some[:, None], [[0, 0], [0, 1]])
        return Asked(
            queries=queries,
            terms=terms,
            sums=sums,
            open_=open_,
            bm25=tf.where(open_, sums.scores[:, : n + 1], 0.0),
            clicks=self.clicks.of(texts),
            personal=personal,
            rough=self.funnel.everywhere(personal),
        )

    def _weighed(self, asked: Asked, vectors: tf.Tensor) -> SearchState:
        """Items that query vectors [B, d] and the rest propose, weighed.

        What is in none of the lists is no candidate, so that nothing has to be known of
        it: signals are those over the whole catalogue, and so are the scales, but for
        coverage and person where `also_relative` names them.
        """
        cosines = tf.nn.relu(tf.matmul(vectors, self.vectors))
        cosines = tf.where(asked.open_, cosines, 0.0)
        by_words, word_gains = self._listed(asked.bm25, self.config.lexical_candidates)
        by_meaning, gains = self._listed(cosines, self.config.dense_candidates)
        clicked, clicks = asked.clicks
        person = asked.personal.person
        own = person.history.rows
        items = PageItems.of([by_words, by_meaning, clicked, own], self.num_items)
        coverage = self.lexical.coverage(asked.terms, items.rows, asked.sums)
        ranks = tf.concat([word_gains, gains], axis=1)
        rrf = items.added(tf.concat([by_words, by_meaning], axis=1), ranks)
        counts = items.added(clicked, clicks[..., 1])
        parts = {
            "bm25": items.picked(asked.bm25),
            "coverage": coverage,
            "dense": items.picked(cosines),
            "rrf": rrf,
            "click_rate": items.added(clicked, clicks[..., 0]),
            "clicks": counts,
            "person": items.heights(asked.rough),
        }
        signals = tf.stack([parts[name] for name in SIGNALS], axis=1)
        best = self._scales(signals)
        scores = self.fusion((signals,), best)
        bought = slots_at(person.slot_of, items.rows, self.num_items) > 0
        matched = (rrf > 0) | (counts > 0) | (bought & (coverage > 0))
        matched &= items.first & items.picked(asked.open_)
        whole = self.lexical.named(asked.terms, items.rows, asked.sums)
        num_words = self.lexical.num_words(asked.terms)
        named = named_items(whole, matched, num_words, self.config.named_items)
        return SearchState(
            asked.terms,
            asked.sums,
            items,
            signals,
            best,
            matched,
            named,
            scores,
            scores,
        )

    def _listed(self, scores: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The best of score rows [B, n + 1] and 1 / (k + rank) of each.

        Returns:
          [B, size] int32 rows, n pads; [B, size] float32, 0 for pads.
        """
        values, rows = top_rows(scores, min(size, self.num_items + 1))
        ranks = tf.range(1, values.shape[1] + 1, dtype=tf.float32)
        gains = tf.math.reciprocal(ranks + float(self.config.rrf_k))
        rows = tf.where(values > 0, rows, self.num_items)
        return rows, tf.where(values > 0, gains, 0.0)

    def _near(self, asked: tf.Tensor, items: PageItems) -> tf.Tensor:
        """[B, W] the tower's cosine, at least 0, of queries [B, d]."""
        constants = self.funnel.constants
        if constants.shelf:
            return products_at(constants.tower_table, asked, items.rows)
        return items.picked(tf.nn.relu(constants.tower_scores(asked)))

    def _moved(self, words: tf.Tensor, first: SearchState) -> tf.Tensor:
        """[B, d] query vectors, moved towards the mean of the best items' vectors.

        Pseudo-relevance feedback (Rocchio 1971). A query without items stays put.
        """
        scores = tf.where(first.matched, first.scores, LOWEST)
        # Where too few match there are pads, whose vector is 0.
        rows = first.items.best(scores, self.config.feedback_items)
        found = tf.gather(self.vectors.read_value(), rows, axis=1)
        mean = tf.transpose(tf.reduce_mean(found, axis=2))
        return tf.math.l2_normalize(words + self.config.feedback_weight * mean, axis=1)

    def _price_fit(self, rows: tf.Tensor, state: SearchState) -> tf.Tensor:
        """[B, C, 1] distance of the price from the mean of what was clicked for it."""
        prices = self.funnel.constants.compared[:, 0]
        weights = state.signals[:, _CLICKS]
        total = tf.reduce_sum(weights, axis=1)
        clicked = tf.reduce_sum(weights * tf.gather(prices, state.items.rows), axis=1)
        mean = tf.math.divide_no_nan(clicked, total)
        distance = tf.abs(tf.gather(prices, rows) - mean[:, None])
        return tf.where(total[:, None] > 0, distance, 0.0)[..., None]
