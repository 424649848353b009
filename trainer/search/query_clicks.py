"""What people searched and clicked before a cut-off, as NumPy arrays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config.query_clicks import QueryClicksConfig
from core.errors import UNREADABLE, ArtifactError
from trainer.search.impressions import IntArray
from trainer.search.position_bias import Propensities
from trainer.search.query_log import QueryLog, impressions_before
from trainer.search.words_in_use import words_in_use

FloatArray = npt.NDArray[np.float32]

FILE_NAME = "query_clicks.npz"
_TEXTS = ("queries", "words")


@dataclasses.dataclass(frozen=True)
class QueryClicks:
    """Q queries and their N items, from events strictly before `as_of` only."""

    as_of: int  # seconds UTC
    num_items: int  # of the catalogue
    queries: tuple[str, ...]  # [Q] normalized, sorted
    splits: npt.NDArray[np.int32]  # [Q + 1]: query q owns rows[splits[q]:splits[q + 1]]
    rows: npt.NDArray[np.int32]  # [N] catalogue rows, most clicked first
    rates: FloatArray  # [N] 0 .. 1, clicks per examined impression, smoothed
    counts: FloatArray  # [N] log(1 + impressions)
    # [W] terms that several people search with, ascending, and how many pairs of a
    # person and a query hold each.
    words: tuple[str, ...] = ()
    word_searches: IntArray = dataclasses.field(
        default_factory=lambda: np.zeros(0, np.int64)
    )

    def save(self, folder: str | Path) -> Path:
        """Writes `folder/query_clicks.npz` and returns its path."""
        path = Path(folder) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name in _TEXTS:
            # Lines of UTF-8: an array of strings would be as wide as the longest.
            text = "\n".join(fields[name]).encode()
            fields[name] = np.frombuffer(text, np.uint8)
        np.savez(path, **fields)
        return path

    @classmethod
    def load(cls, folder: str | Path) -> QueryClicks:
        """Reads what `save` wrote.

        Raises:
          ArtifactError: the file is missing or not readable.
        """
        path = Path(folder) / FILE_NAME
        try:
            with np.load(path, allow_pickle=False) as file:
                fields = {name: file[name] for name in file.files}
            for name in _TEXTS:
                text = fields[name].tobytes().decode()
                fields[name] = tuple(text.split("\n")) if text else ()
            for name in ("as_of", "num_items"):
                fields[name] = int(fields[name])
            return cls(**fields)
        except (*UNREADABLE, KeyError, TypeError) as error:
            raise ArtifactError(
                f"Query clicks must be readable at {path}. Received: {error}. "
                "Run the ItemNeighbours step again."
            ) from error


def build_query_clicks(
    log: QueryLog,
    *,
    as_of: int,
    propensities: Propensities,
    config: QueryClicksConfig,
) -> QueryClicks:
    """Counts clicks and impressions from the events with timestamp < `as_of`.

    An impression is an item on a page (`impressions.find_pages`); it is clicked if the
    item was clicked, put in the cart or bought there. With s = `smoothing` and r the
    click rate of all pairs, a pair's rate is

        (clicks + s r) / (sum of the propensities of its slots + s)

    clicks over expected examinations, after Zhang and Jones (2007). In a shop that logs
    clicks without views every known impression is clicked: rates say little there, the
    counts remain.
    """
    found = impressions_before(log, as_of, config.page_gap_s)
    known = found.queries >= 0
    keys, pair = np.unique(
        found.queries[known] * log.num_items + found.rows[known], return_inverse=True
    )
    size = len(keys)
    shown = np.bincount(pair, minlength=size)
    clicks = np.bincount(pair[found.clicked[known]], minlength=size)
    seen = np.bincount(
        pair, weights=propensities.at(found.positions[known]), minlength=size
    )
    mean = clicks.sum() / seen.sum() if size else 0.0
    rates = (clicks + config.smoothing * mean) / (seen + config.smoothing)
    words, word_searches = words_in_use(log, as_of)
    queries, rows = keys // max(log.num_items, 1), keys % max(log.num_items, 1)
    kept = _kept(queries, rows, clicks, shown, config)
    numbers, lengths = np.unique(queries[kept], return_counts=True)
    return QueryClicks(
        as_of=as_of,
        num_items=log.num_items,
        queries=tuple(log.texts[number] for number in numbers),
        splits=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        rows=rows[kept].astype(np.int32),
        rates=np.minimum(rates[kept], 1.0).astype(np.float32),
        counts=np.log1p(shown[kept]).astype(np.float32),
        words=words,
        word_searches=word_searches,
    )


def _kept(
    queries: IntArray,
    rows: IntArray,
    clicks: IntArray,
    shown: IntArray,
    config: QueryClicksConfig,
) -> IntArray:
    """Pairs of the most frequent queries, by query, then most clicked first."""
    order = np.lexsort((rows, -shown, -clicks, queries))
    names, first, owner = np.unique(
        queries[order], return_index=True, return_inverse=True
    )
    rank = np.arange(len(order)) - first[owner]
    total = np.bincount(owner, weights=shown[order], minlength=len(names))
    frequent = np.zeros(len(names), dtype=bool)
    frequent[np.argsort(-total, kind="stable")[: config.max_queries]] = True
    return order[(rank < config.max_items_per_query) & frequent[owner]]
