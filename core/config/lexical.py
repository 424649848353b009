"""How words find items: BM25, the fields it reads, the limits of a query."""

from __future__ import annotations

import dataclasses
from typing import Literal

from core.config.base import Config

# Columns of the items table that the index can read.
FIELDS = ("title", "category", "brand", "description")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LexicalConfig(Config):
    """Settings of the inverted index and of its lookup in the graph."""

    # Robertson et al. 1995; Lucene's defaults.
    k1: float = 1.2  # how late a repeated term saturates
    b: float = 0.75  # how much a long text is held against an item
    # What one occurrence in a field counts; 0 leaves the field out. Title alone with
    # weight 1 is plain BM25.
    title_weight: float = 1.0
    category_weight: float = 0.5
    brand_weight: float = 0.7
    description_weight: float = 0.3
    # Limits of one query: characters are cut before the analysis, terms after it.
    # A Chinese text of n characters has up to 2n - 1 terms.
    max_query_characters: int = 256
    max_query_terms: int = 64
    # `ragged`: fastest on CPU, two ops without a GPU kernel. `segment`: every op that
    # touches postings has one.
    form: Literal["ragged", "segment"] = "ragged"

    def __post_init__(self) -> None:
        self.require(self.k1 >= 0, "k1", ">= 0")
        self.require(0 <= self.b <= 1, "b", "0 .. 1")
        for field in FIELDS:
            name = f"{field}_weight"
            self.require(getattr(self, name) >= 0, name, ">= 0 (0 = left out)")
        self.require(bool(self.weights), "title_weight", "> 0 if no other weight is")
        self.require(
            1 <= self.max_query_characters <= 4096, "max_query_characters", "1 .. 4096"
        )
        # 64 terms fill the counters of trainer.search.coverage.
        self.require(1 <= self.max_query_terms <= 64, "max_query_terms", "1 .. 64")
        self.require(self.form in ("ragged", "segment"), "form", "ragged or segment")

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each field that is read."""
        weights = {field: getattr(self, f"{field}_weight") for field in FIELDS}
        return {field: weight for field, weight in weights.items() if weight > 0}
