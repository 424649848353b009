"""Which items hold a term, and how much each such pair is worth (BM25F)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import FIELDS, LexicalConfig
from core.errors import InputDataError
from trainer.search.analyzer import Analyzer

if TYPE_CHECKING:
    import pyarrow as pa

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]

# Texts per call of the analyzer: its cost per call is then nothing.
_BATCH = 8192


@dataclasses.dataclass(frozen=True, kw_only=True)
class FieldTerms:
    """The terms of one field, item after item."""

    splits: IntArray  # [n + 1]
    terms: IntArray  # [L] term ids in the analyzer's order


@dataclasses.dataclass(frozen=True, kw_only=True)
class InvertedIndex:
    """Postings by term: those of term t are rows[splits[t] : splits[t + 1]]."""

    terms: npt.NDArray[np.object_]  # [V] bytes, ascending
    splits: IntArray  # [V + 1]
    rows: IntArray  # [P] item rows, ascending inside a term
    impacts: FloatArray  # [P] idf times the saturated weight of the term in the item
    held_in: npt.NDArray[np.uint8]  # [P] bit i: the term stands in FIELDS[i]
    idf: FloatArray  # [V]
    num_items: int
    title: FieldTerms  # empty where titles are not read

    def save(self, path: Path) -> None:
        """Writes one .npz file; terms as UTF-8 with their lengths."""
        lengths = np.array([len(term) for term in self.terms], np.int32)
        arrays: dict[str, Any] = {
            "text": np.frombuffer(b"".join(self.terms), np.uint8),
            "lengths": lengths,
            "num_items": np.int64(self.num_items),
            "title_splits": self.title.splits,
            "title_terms": self.title.terms,
        }
        for name in ("splits", "rows", "impacts", "held_in", "idf"):
            arrays[name] = getattr(self, name)
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> InvertedIndex:
        """The index that `save` wrote."""
        with np.load(path) as file:
            text, ends = file["text"].tobytes(), np.cumsum(file["lengths"])
            starts = ends - file["lengths"]
            pairs = zip(starts.tolist(), ends.tolist(), strict=True)
            return cls(
                terms=_objects([text[start:end] for start, end in pairs]),
                splits=file["splits"],
                rows=file["rows"],
                impacts=file["impacts"],
                held_in=file["held_in"],
                idf=file["idf"],
                num_items=int(file["num_items"]),
                title=FieldTerms(
                    splits=file["title_splits"], terms=file["title_terms"]
                ),
            )


def build_inverted_index(
    items: pa.Table | Mapping[str, Sequence[str | None]],
    config: LexicalConfig,
    analyzer: Analyzer,
) -> InvertedIndex:
    """The index of a catalogue; rows are those of `items`.

    The impact of term t in item d is BM25F (Robertson, Zaragoza & Taylor 2004): the
    fields' weighted, length-normalized frequencies are summed before they saturate, so
    that a word in title and description is not paid twice:

        f(t, d) = sum over fields of w * tf / (1 - b + b * length / average length)
        impact  = log(1 + (n - df + .5) / (df + .5)) * f / (k1 + f)

    With one field of weight 1 this is plain BM25 in Lucene's form (no factor k1 + 1),
    `bm25s` calls it "lucene". The average length is over the items that have the field.

    Args:
      items: columns `title` and, where the shop has them, `category`, `brand` and
        `description`; n texts each, None or '' where an item has none.

    Raises:
      InputDataError: `items` has none of the fields, or their lengths differ.
    """
    texts = {name: column for name, column in _columns(items) if name in config.weights}
    if not texts or len({len(column) for column in texts.values()}) > 1:
        raise InputDataError(
            f"The inverted index reads the columns {', '.join(config.weights)}, all of "
            f"one length. Received: { ({k: len(v) for k, v in texts.items()}) }."
        )
    n = len(next(iter(texts.values())))
    vocabulary: dict[bytes, int] = {}
    found = {name: _analyze(texts[name], analyzer, vocabulary) for name in texts}
    terms, found = _sorted(vocabulary, found)
    keys, weights, held_in = _frequencies(found, texts, config, n)
    term_of, row_of = np.divmod(keys, max(n, 1))
    df = np.bincount(term_of, minlength=len(terms))
    idf = np.log1p((n - df + 0.5) / (df + 0.5))
    impacts = idf[term_of] * weights / (config.k1 + weights)
    return InvertedIndex(
        terms=terms,
        splits=np.concatenate([[0], np.cumsum(df)]).astype(np.int32),
        rows=row_of.astype(np.int32),
        impacts=impacts.astype(np.float32),
        held_in=held_in,
        idf=idf.astype(np.float32),
        num_items=n,
        title=found.get("title", _no_terms(n)),
    )


def _columns(
    items: pa.Table | Mapping[str, Sequence[str | None]],
) -> Iterator[tuple[str, list[str]]]:
    if isinstance(items, Mapping):
        columns = {name: list(items[name]) for name in FIELDS if name in items}
    else:
        names = [name for name in FIELDS if name in items.column_names]
        columns = {name: items[name].to_pylist() for name in names}
    for name, column in columns.items():
        yield name, [text or "" for text in column]


def _analyze(
    texts: list[str], analyzer: Analyzer, vocabulary: dict[bytes, int]
) -> FieldTerms:
    """Terms by their place in `vocabulary`, which grows."""
    lengths, ids = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)]
    for start in range(0, len(texts), _BATCH):
        found = analyzer(tf.constant(texts[start : start + _BATCH], tf.string))
        lengths.append(found.row_lengths().numpy())
        flat = found.flat_values.numpy().tolist()
        numbers = [vocabulary.setdefault(term, len(vocabulary)) for term in flat]
        ids.append(np.array(numbers, np.int32))
    splits = np.cumsum(np.concatenate(lengths)).astype(np.int32)
    return FieldTerms(splits=splits, terms=np.concatenate(ids))


def _sorted(
    vocabulary: dict[bytes, int], found: Mapping[str, FieldTerms]
) -> tuple[npt.NDArray[np.object_], dict[str, FieldTerms]]:
    """Terms in ascending order, so that equal catalogues give equal files."""
    terms = sorted(vocabulary)
    places = np.empty(len(terms), np.int32)
    places[[vocabulary[term] for term in terms]] = np.arange(len(terms))
    moved = {
        name: FieldTerms(splits=field.splits, terms=places[field.terms])
        for name, field in found.items()
    }
    return _objects(terms), moved


def _frequencies(
    found: Mapping[str, FieldTerms],
    texts: Mapping[str, list[str]],
    config: LexicalConfig,
    n: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Keys term * n + row, ascending, the summed f(t, d) of each, and its fields."""
    keys, weights = [], []
    for name, field in found.items():
        lengths = np.diff(field.splits)
        has_field = np.array([bool(text) for text in texts[name]])
        average = lengths.sum() / max(int(has_field.sum()), 1)
        norm = 1 - config.b + config.b * lengths / max(average, 1e-9)
        rows = np.repeat(np.arange(n, dtype=np.int64), lengths)
        keys.append(field.terms.astype(np.int64) * n + rows)
        weights.append(config.weights[name] / norm[rows])
    distinct, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    summed = np.bincount(inverse, np.concatenate(weights), minlength=len(distinct))
    held_in = np.zeros(len(distinct), np.uint8)
    for name, each in zip(found, keys, strict=True):
        held_in[np.searchsorted(distinct, each)] |= np.uint8(1 << FIELDS.index(name))
    return distinct, cast(npt.NDArray[np.float64], summed), held_in


def _no_terms(n: int) -> FieldTerms:
    return FieldTerms(splits=np.zeros(n + 1, np.int32), terms=np.zeros(0, np.int32))


def _objects(terms: list[bytes]) -> npt.NDArray[np.object_]:
    array = np.empty(len(terms), object)
    array[:] = terms
    return array
