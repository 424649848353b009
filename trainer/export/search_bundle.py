"""The SavedModel of a shop without events: search and likeness by words alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import tensorflow as tf

from core import features, signatures
from core.config import ShopConfig
from core.config.bundle import BundleConfig
from trainer.export import requests
from trainer.export.bundle import Bundle, Tensors
from trainer.export.text_retriever import TextRetriever
from trainer.search.search_funnel import SearchFunnel
from trainer.traced import traced


class SearchBundle(Bundle):
    """`search`, `similar`, `embed_query` and `embed_item` over one catalogue.

    Inputs and outputs are those of `Bundle`, but that embeddings come of words:
    `embed_query` takes a `query`, `embed_item` the item's texts, and both are of the
    text encoder. `recommend`, `rank` and the default signature need people's events to
    learn from, so they are not there.
    """

    def __init__(
        self,
        *,
        items: pa.Table,
        search: SearchFunnel,
        search_ranker: Any,
        retriever: TextRetriever,
        shop: ShopConfig,
        config: BundleConfig,
        as_of: int,
    ) -> None:
        """
        Args:
          items: the cleaned `items` table; its order is the catalogue order.
          search: over a funnel whose tables saw no events.
          search_ranker: orders by the first stage's score (`PriorRanker`).
          retriever: the text encoder's vectors.
          shop: context features that a request may carry.
          config: weights of `similar`, warm-up.
          as_of: the time of a request that has none, seconds UTC.
        """
        super().__init__(
            items=items,
            funnel=search.funnel,
            retriever=retriever,
            ranker=None,
            shop=shop,
            config=config,
            as_of=as_of,
            search=search,
            search_ranker=search_ranker,
        )

    def similar(self, **inputs: tf.Tensor) -> Tensors:
        """Items like one item; nothing for an unknown id: nothing is popular here."""
        page = super().similar(**inputs)
        known = self.catalogue.rows(inputs[features.ITEM_ID]) < self.catalogue.num_items
        shown = tf.broadcast_to(known[:, tf.newaxis], tf.shape(page[signatures.SCORES]))
        return {
            name: tf.where(shown, values, tf.zeros([], values.dtype))
            for name, values in page.items()
        }

    def embed_query(self, **inputs: tf.Tensor) -> Tensors:
        """[B, d] float32, norm 1 (0 without words): the query's text."""
        vectors = self.retriever.embed_texts(inputs[features.QUERY])
        return {signatures.EMBEDDINGS: vectors}

    def signatures(self) -> dict[str, Any]:
        """Concrete functions by signature name."""
        person, filters = requests.person_specs(self._shop), requests.filter_specs()
        query = requests.query_specs()
        item_id = tf.TensorSpec([None], tf.string, name=features.ITEM_ID)
        offered = {
            signatures.SEARCH: (self.search, {**query, **person, **filters}),
            signatures.SIMILAR: (self.similar, {features.ITEM_ID: item_id, **filters}),
            signatures.EMBED_QUERY: (self.embed_query, query),
            signatures.EMBED_ITEM: (self.embed_item, requests.item_text_specs()),
        }
        return {
            name: traced(function).get_concrete_function(**specs)
            for name, (function, specs) in offered.items()
        }
