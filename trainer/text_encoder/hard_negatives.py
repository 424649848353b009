"""Hard negatives for the contrastive step: items that words alone put near a query."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from core.config.lexical import LexicalConfig
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import InvertedIndex, build_inverted_index

_BATCH = 8192  # queries per call of the analyzer


class Bm25Miner:
    """The items of the highest BM25 for each query, from the search's own index.

    A `trainer.text_encoder.fit.Miner`: what people chose for the query is taken out by
    whoever draws from it.
    """

    def __init__(self, items: pa.Table, config: LexicalConfig | None = None) -> None:
        """
        Args:
          items: canonical items; rows are rows of this table.
          config: field weights; None: the defaults.
        """
        self._analyzer = Analyzer()
        self._config = config or LexicalConfig()
        self._index = build_inverted_index(items, self._config, self._analyzer)

    def __call__(self, queries: Sequence[str], k: int) -> list[npt.NDArray[np.int64]]:
        """Rows of up to k items per query, best first; only those with a common term.

        Args:
          queries: [Q] texts; one without a known word gets no row.
          k: at most so many.
        """
        found: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(queries), _BATCH):
            texts = tf.constant(list(queries[start : start + _BATCH]), tf.string)
            terms = self._analyzer(texts, self._config.max_query_characters)
            ids = _term_ids(self._index, terms.flat_values.numpy())
            ends = terms.row_splits.numpy()
            for first, last in itertools.pairwise(ends.tolist()):
                found.append(_best(self._index, ids[first:last], k))
        return found


def _term_ids(
    index: InvertedIndex, terms: npt.NDArray[np.object_]
) -> npt.NDArray[np.int64]:
    """Ids of terms, -1 for those that no item holds."""
    places = np.searchsorted(index.terms, terms)
    inside = np.minimum(places, len(index.terms) - 1)
    return np.where(index.terms[inside] == terms, inside, -1)


def _best(
    index: InvertedIndex, terms: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.int64]:
    """Rows of the k items with the highest sums of impacts, ties by row."""
    spans = [slice(index.splits[t], index.splits[t + 1]) for t in terms if t >= 0]
    if not spans:
        return np.zeros(0, np.int64)
    rows = np.concatenate([index.rows[span] for span in spans])
    impacts = np.concatenate([index.impacts[span] for span in spans])
    distinct, inverse = np.unique(rows, return_inverse=True)
    scores = np.bincount(inverse.reshape(-1), impacts)
    order = np.argsort(-scores, kind="stable")[:k]
    return distinct[order].astype(np.int64)
