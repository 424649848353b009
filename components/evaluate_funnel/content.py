"""Content vectors of items, to measure how alike the items of one page are."""

from __future__ import annotations

import re
import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core import features
from core.text.marks import MARKS

_WORDS = re.compile(rf"[^\W_](?:[^\W_]|[{MARKS}])*")
_HAN = re.compile(r"[\u3400-\u9fff]")


def content_vectors(items: pa.Table, dimension: int = 256) -> npt.NDArray[np.float64]:
    """[n, dimension] float64, L2-normalized: hashed words of title and category.

    Words are weighted by log(n / items with the word); Chinese is cut into pairs of
    neighbouring characters. An item without words gets a zero row.
    """
    texts = [
        f"{title or ''} {category or ''}"
        for title, category in zip(
            _column(items, features.TITLE),
            _column(items, features.CATEGORY),
            strict=True,
        )
    ]
    words = [sorted(set(tokens(text))) for text in texts]
    lengths = [len(w) for w in words]
    flat = [w for row in words for w in row]
    vectors = np.zeros((len(texts), dimension))
    if not flat:
        return vectors
    vocabulary, inverse, counts = np.unique(
        np.asarray(flat, object).astype(str), return_inverse=True, return_counts=True
    )
    hashes = np.array([zlib.crc32(w.encode()) for w in vocabulary])
    signs = np.where(hashes >> 16 & 1, 1.0, -1.0)
    weights = signs * np.log1p(len(texts) / counts)
    rows = np.repeat(np.arange(len(texts)), lengths)
    inverse = inverse.reshape(-1)
    np.add.at(vectors, (rows, hashes[inverse] % dimension), weights[inverse])
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)


def tokens(text: str) -> list[str]:
    """Lower-case words; runs of Chinese become pairs of neighbouring characters."""
    found = []
    for word in _WORDS.findall(text.lower()):
        if _HAN.search(word) and len(word) > 1:
            found += [word[i : i + 2] for i in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def _column(items: pa.Table, name: str) -> list[str | None]:
    if name not in items.column_names:
        return [None] * int(items.num_rows)
    values: list[str | None] = items.column(name).to_pylist()
    return values
