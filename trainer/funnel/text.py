"""Titles as vectors, in any language, without a trained model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from core.text.marks import MARKS
from core.text.simplified import simplify

FloatArray = npt.NDArray[np.float32]

# Scripts written without spaces: words are cut into pairs of characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff]+"
)
_WORD = re.compile(rf"\w[\w{MARKS}]*")


def tokens(title: str) -> list[str]:
    """Words, character pairs of unspaced scripts, and character trigrams of words.

    Vowel signs and accents belong to their word; without a letter they are none.
    Traditional Chinese characters count as simplified ones.
    Trigrams carry a leading '#', so that they never meet a word.
    """
    text = simplify(unicodedata.normalize("NFKC", title or "").casefold())
    found: list[str] = []
    for word in _WORD.findall(text):
        start = 0
        for run in _UNSPACED.finditer(word):
            found.extend(_spaced(word[start : run.start()]))
            found.extend(_pairs(run.group()))
            start = run.end()
        found.extend(_spaced(word[start:]))
    return found


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _spaced(word: str) -> list[str]:
    if not word:
        return []
    padded = f"#{word}#"
    return [word, *("#" + padded[i : i + 3] for i in range(len(padded) - 2))]


def tfidf(titles: Sequence[str]) -> sparse.csr_matrix:
    """[n, V] float32 TF-IDF rows, L2-normalized; words weigh 1, trigrams .3.

    Terms of a single title are dropped: they relate it to no other.
    """
    vocabulary: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, title in enumerate(titles):
        for term in tokens(title):
            rows.append(row)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
            values.append(0.3 if term.startswith("#") else 1.0)
    shape = (len(titles), max(1, len(vocabulary)))
    matrix = sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32)
    matrix.sum_duplicates()
    frequency = np.bincount(matrix.indices, minlength=shape[1])
    idf = np.where(frequency > 1, np.log((1 + shape[0]) / (1.0 + frequency)) + 1, 0.0)
    matrix = matrix @ sparse.diags(idf.astype(np.float32))
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    scale = sparse.diags((1.0 / np.maximum(norms, 1e-9)).astype(np.float32))
    return (scale @ matrix).tocsr().astype(np.float32)


def title_vectors(matrix: sparse.csr_matrix, dim: int, seed: int = 0) -> FloatArray:
    """[n, dim] float32 rows of a randomized SVD of TF-IDF, L2-normalized; 0 if empty.

    Halko, Martinsson & Tropp 2011: random projection, two power iterations, QR.
    """
    n, width = matrix.shape
    rank = min(dim, n, width)
    draw = np.random.default_rng(seed).standard_normal((width, rank + 8))
    basis = np.linalg.qr(matrix @ draw.astype(np.float32))[0]
    for _ in range(2):
        basis = np.linalg.qr(matrix @ (matrix.T @ basis))[0]
    left, scale, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    vectors = (basis @ left[:, :rank]) * scale[:rank]
    vectors = np.pad(vectors, ((0, 0), (0, dim - vectors.shape[1])))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(norms > 1e-6, vectors / np.maximum(norms, 1e-6), 0.0).astype(
        np.float32
    )
