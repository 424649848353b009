"""BM25 over all text of the catalogue: what any search must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from components.evaluate_funnel.baselines import top_rows
from components.evaluate_funnel.test_set import IntArray
from core import features
from core.metrics.query_classes import terms

TEXT_COLUMNS = (
    features.TITLE,
    features.BRAND,
    features.CATEGORY,
    features.DESCRIPTION,
)


class Bm25:
    """Lucene's BM25 (Robertson et al., 1994) as one sparse product.

    A term t that occurs f times in a document of length l adds

        ln(1 + (n - n_t + .5) / (n_t + .5)) · f / (f + k1 (1 - b + b l / mean l))

    for every time that it is in the query.
    """

    def __init__(self, texts: Sequence[str], *, k1: float, b: float) -> None:
        """
        Args:
          texts: [n] the documents.
          k1: saturation of the term frequency.
          b: how much a document's length counts.
        """
        documents = [terms(text) for text in texts]
        lengths = np.array([len(words) for words in documents], np.int64)
        self._columns = {
            word: column
            for column, word in enumerate(sorted({w for d in documents for w in d}))
        }
        words = [self._columns[word] for document in documents for word in document]
        shape = (len(self._columns), len(documents))
        counts = sp.csr_matrix(
            (np.ones(len(words)), (words, np.repeat(np.arange(len(texts)), lengths))),
            shape,
        )
        held = np.diff(counts.indptr)
        rarity = np.log1p((len(texts) - held + 0.5) / (held + 0.5))
        norm = k1 * (1.0 - b + b * lengths / max(float(lengths.mean()), 1e-9))
        counts.data /= counts.data + norm[counts.indices]
        counts.data *= np.repeat(rarity, held)
        self._impacts = counts

    def scores(self, queries: Sequence[str]) -> np.ndarray:
        """[B, n] float64; 0 where a document has no term of the query."""
        found = [
            [self._columns[word] for word in terms(query) if word in self._columns]
            for query in queries
        ]
        rows = np.repeat(np.arange(len(queries)), [len(words) for words in found])
        columns = [word for words in found for word in words]
        shape = (len(queries), self._impacts.shape[0])
        chosen = sp.csr_matrix((np.ones(len(columns)), (rows, columns)), shape)
        return np.asarray((chosen @ self._impacts).toarray())

    def pages(
        self, queries: Sequence[str], length: int, *, batch_size: int = 256
    ) -> IntArray:
        """[M, length] int64 rows, best first, -1 where nothing more matches."""
        parts = [np.empty((0, length), np.int64)]
        for start in range(0, len(queries), batch_size):
            scores = self.scores(queries[start : start + batch_size])
            parts.append(top_rows(np.where(scores > 0, scores, -np.inf), length))
        return np.concatenate(parts)


def item_texts(items: pa.Table, columns: Sequence[str] = TEXT_COLUMNS) -> list[str]:
    """[n] the named text columns of each item, joined by spaces."""
    parts = [
        items.column(name).to_pylist() for name in columns if name in items.column_names
    ]
    return [" ".join(part or "" for part in row) for row in zip(*parts, strict=True)]
