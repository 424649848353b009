"""ONE SavedModel that answers a shop's pages: the funnel behind named signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow as tf

from core import features, signatures
from core.config import ShopConfig
from core.config.bundle import BundleConfig
from trainer.export import requests
from trainer.export.catalogue import Catalogue
from trainer.export.examples import parse_rank_examples
from trainer.export.filters import allowed_items
from trainer.export.pages import best_page, spread_categories
from trainer.export.reasons import ReasonTable
from trainer.export.same_moments import SameMoments
from trainer.export.similar import SimilarItems
from trainer.funnel.funnel import CandidateFunnel
from trainer.moment import Moment, tower_inputs
from trainer.search.search_funnel import SearchFunnel
from trainer.traced import traced

Tensors = dict[str, tf.Tensor]


class Bundle(tf.Module):
    """Retrieval, ranking, filters and page assembly over one catalogue.

    It keeps no state between requests: a person's history comes with the request, and
    what depends on other people's events was computed as of the end of the data.
    """

    def __init__(
        self,
        *,
        items: pa.Table,
        funnel: CandidateFunnel,
        retriever: Any,
        ranker: Any,
        shop: ShopConfig,
        config: BundleConfig,
        as_of: int,
        search: SearchFunnel | None = None,
        search_ranker: Any = None,
    ) -> None:
        """
        Args:
          items: the cleaned `items` table; its order is the catalogue order.
          funnel: candidate sources and features over the tables as of `as_of`, with
            the retriever's item embeddings.
          retriever: functions embed_query and embed_item of the retriever.
          ranker: the loaded ranker SavedModel (score), or the export object itself.
          shop: event types and context features.
          config: diversity, `similar` weights, warm-up.
          as_of: end of the data that the tables saw, seconds UTC.
          search: over the same funnel; None: a bundle without the `search` signature.
          search_ranker: as `ranker`, over the search funnel's features.
        """
        super().__init__(name="bundle")
        self.catalogue = Catalogue(items)
        self.read_moment = requests.MomentReader(self.catalogue, shop, as_of=as_of)
        self.funnel = funnel
        self.retriever = retriever
        self.ranker = ranker
        self.similar_items = SimilarItems(
            funnel.constants, funnel.tables, weights=config.similar_weights
        )
        self.search_funnel = search
        self.search_ranker = search_ranker
        self.reasons = ReasonTable()
        self._shop = shop
        self._config = config

    def recommend(self, **inputs: tf.Tensor) -> Tensors:
        """The personal page; inputs and outputs as docs/serving.md lists them."""
        moment = self.read_moment(inputs)
        allowed = allowed_items(self.catalogue, requests.filters_from(inputs))
        state = self.funnel.state(moment, self._embed(moment), allowed)
        rows = self.funnel.retrieve(moment, allowed=allowed, state=state)
        values = self.funnel.features(moment, rows, state=state)
        scores = _scored(self.ranker, values)[signatures.SCORE]
        if self._config.diversity_penalty:
            scores = spread_categories(
                rows, scores, self.catalogue, self._config.diversity_penalty
            )
        page = best_page(rows, scores, inputs[signatures.K], self.catalogue.num_items)
        # Of all candidates, whose signals are at hand for the ranker.
        origins = self.funnel.origins(rows, state)
        origins = tf.gather(origins, page.places, batch_dims=1)
        return {
            signatures.ITEM_IDS: self.catalogue.ids(page.rows),
            signatures.SCORES: page.scores,
            signatures.REASONS: self.reasons(origins, page.scores > 0),
        }

    def search(self, **inputs: tf.Tensor) -> Tensors:
        """The page for a query, in the person's order; as `recommend`, and `query` [B].

        An empty query, or one of stop words alone, gives an empty page.
        """
        assert self.search_funnel is not None  # the signature is not offered otherwise
        moment = self.read_moment(inputs)
        allowed = allowed_items(self.catalogue, requests.filters_from(inputs))
        personal = self.funnel.state(moment)
        found = self.search_funnel.state(
            inputs[features.QUERY], moment, personal, allowed
        )
        rows = self.search_funnel.retrieve(found)
        values = self.search_funnel.features(
            moment, rows, personal=personal, state=found
        )
        scores = _scored(self.search_ranker, values)[signatures.SCORE]
        scores = self.search_funnel.ordered(rows, scores, found)
        page = best_page(rows, scores, inputs[signatures.K], self.catalogue.num_items)
        evidence = self.search_funnel.evidence(page.rows, personal, found)
        return {
            signatures.ITEM_IDS: self.catalogue.ids(page.rows),
            signatures.SCORES: page.scores,
            signatures.REASONS: self.reasons.of_search(*evidence, page.scores > 0),
        }

    def similar(self, **inputs: tf.Tensor) -> Tensors:
        """Items like one item; for an unknown id, what is popular now."""
        rows = self.catalogue.rows(inputs[features.ITEM_ID])
        allowed = allowed_items(self.catalogue, requests.filters_from(inputs))
        candidates, scores = self.similar_items(rows, allowed)
        pad = self.catalogue.num_items
        page = best_page(candidates, scores, inputs[signatures.K], pad)
        known = tf.broadcast_to((rows < pad)[:, tf.newaxis], tf.shape(page.rows))
        return {
            signatures.ITEM_IDS: self.catalogue.ids(page.rows),
            signatures.SCORES: page.scores,
            signatures.REASONS: self.reasons.of_similar(known, page.scores > 0),
        }

    def rank(self, **inputs: tf.Tensor) -> Tensors:
        """Scores and probabilities of the caller's own candidates, in their order."""
        moment = self.read_moment(inputs)
        rows = self.catalogue.rows(inputs[signatures.CANDIDATE_ITEM_IDS])
        known = rows < self.catalogue.num_items
        values = self.funnel.features(moment, rows)
        outputs = _scored(self.ranker, values)
        outputs[signatures.SCORE] = tf.sigmoid(outputs[signatures.SCORE])
        return {name: tf.where(known, value, 0.0) for name, value in outputs.items()}

    def rank_examples(self, examples: tf.Tensor) -> Tensors:
        """`rank` on serialized tf.Examples in which every feature is optional.

        Examples of one person and moment are ranked in one row.
        """
        inputs = parse_rank_examples(examples, self._shop)
        candidates = inputs.pop(signatures.CANDIDATE_ITEM_IDS)
        groups = SameMoments(inputs)
        outputs = self.rank(
            **{name: groups.first(value) for name, value in inputs.items()},
            **{signatures.CANDIDATE_ITEM_IDS: groups.side_by_side(candidates)},
        )
        return {name: groups.apart(value) for name, value in outputs.items()}

    def embed_query(self, **inputs: tf.Tensor) -> Tensors:
        """[B, d] float32, L2-normalized: the person at the moment."""
        return {signatures.EMBEDDINGS: self._embed(self.read_moment(inputs))}

    def embed_item(self, **inputs: tf.Tensor) -> Tensors:
        """[M, d] float32, L2-normalized: items from their columns, known or new."""
        return {signatures.EMBEDDINGS: self.retriever.embed_item(inputs)}

    def _embed(self, moment: Moment) -> tf.Tensor:
        return self.retriever.embed_query(
            *tower_inputs(moment, self._shop.context_features)
        )

    def signatures(self) -> dict[str, Any]:
        """Concrete functions by signature name."""
        person = requests.person_specs(self._shop)
        filters = requests.filter_specs()
        item_id = tf.TensorSpec([None], tf.string, name=features.ITEM_ID)
        rank = {**person, **requests.candidate_specs()}
        serialized = tf.TensorSpec([None], tf.string, name=signatures.EXAMPLES)
        search = {}
        if self.search_funnel is not None:
            specs = {**requests.query_specs(), **person, **filters}
            search = {signatures.SEARCH: concrete(self.search, specs)}
        return {
            **search,
            signatures.RECOMMEND: concrete(self.recommend, {**person, **filters}),
            signatures.SIMILAR: concrete(
                self.similar, {features.ITEM_ID: item_id, **filters}
            ),
            signatures.RANK: concrete(self.rank, rank),
            signatures.EMBED_QUERY: concrete(self.embed_query, person),
            signatures.EMBED_ITEM: concrete(self.embed_item, requests.item_specs()),
            signatures.SERVING_DEFAULT: concrete(
                self.rank_examples, {signatures.EXAMPLES: serialized}
            ),
        }

    def save(self, path: Path | str) -> None:
        """Writes the SavedModel; loads in a process that has only TensorFlow."""
        tf.saved_model.save(self, str(path), signatures=self.signatures())


def _scored(ranker: Any, values: tf.Tensor) -> Tensors:
    """Every output of a ranker as [B, C] float32, from features [B, C, F]."""
    shape = tf.shape(values)
    flat = tf.reshape(values, [-1, values.shape[2]])
    outputs = ranker.score(flat)
    return {n: tf.reshape(value, shape[:2]) for n, value in outputs.items()}


def concrete(
    function: Callable[..., Tensors], specs: Mapping[str, tf.TensorSpec]
) -> Any:
    """A signature of a function of named inputs."""
    return traced(function).get_concrete_function(**specs)
