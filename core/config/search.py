"""Search: how words find items, how clicks become training rows."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.lexical import LexicalConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchConfig(Config):
    """The funnel behind the `search` signature, and what its ranker trains on."""

    lexical: LexicalConfig = dataclasses.field(default_factory=LexicalConfig)
    # Words that no item has become words of the catalogue one edit away, before
    # anything is looked for (`trainer/search/spelling.py`).
    correct_spelling: bool = True
    # Items by words and items by meaning that may be on a page, before their fusion.
    lexical_candidates: int = 200
    dense_candidates: int = 200
    # Weight of the cosine of the retriever's towers, which know words and person, in
    # the choice of candidates; 0: not asked. Set, not learned, and no feature: the
    # towers have seen the clicks of training pages (docs/adr/0003). Off: 128 candidates
    # of 5,000 items allow .998 of the true NDCG@10 without it (docs/search.md).
    tower_weight: float = 0.0
    # What the ranker orders.
    num_candidates: int = 128
    # Items whose title, category and brand hold all words of a query come first: of two
    # words and more always (a title, a kind and its size), of one word where no more
    # items than this, a page, hold it (docs/search.md). 0: none do.
    named_items: int = 10
    # Reciprocal rank fusion sums 1 / (this + rank) (Cormack, Clarke & Buettcher 2009).
    rrf_k: int = 60
    # What an event on a shown item is worth, in the order click, cart, purchase; each
    # is divided by the chance that its slot was looked at.
    event_gains: tuple[float, float, float] = (1.0, 1.0, 2.0)
    max_click_weight: float = 10.0  # clips 1 / propensity
    # Training rows per page: the shown items, then candidates that were not shown.
    max_rows_per_page: int = 32
    # Pages mined of each cut-off, more are sampled down: see FunnelConfig.max_moments.
    max_pages: int = 10_000
    mining_batch: int = 64
    # The first stage's weights: pages they are learned on, passes, ridge.
    fusion_pages: int = 1_500
    fusion_epochs: int = 6
    fusion_l2: float = 1e-3
    # The first stage of a shop without events, which has nothing to learn them from:
    # linear and root weight of BM25, coverage, cosine, reciprocal ranks, click rate,
    # clicks, person. Chosen on Chorus' judged queries with a pretrained encoder
    # (docs/search.md says how); click weights count for nothing there.
    plain_linear: tuple[float, ...] = (0.25, 0.0, 0.75, 0.0, 0.0, 0.0, 0.1)
    plain_root: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    # Signals beside BM25, reciprocal ranks and clicks that count as shares of the
    # query's best: the cosine, where the weights above have to fit every query.
    also_relative: tuple[str, ...] = ()
    # Pseudo-relevance feedback: the query's vector moves towards the mean of so many
    # best items, times the weight (Rocchio 1971); 0: none. It takes a second pass over
    # the items' vectors; `presets.without_events` asks for 3 (docs/search.md).
    feedback_items: int = 0
    feedback_weight: float = 1.0
    seed: int = 11

    def __post_init__(self) -> None:
        for name in (
            "lexical_candidates",
            "dense_candidates",
            "num_candidates",
            "rrf_k",
            "max_rows_per_page",
            "max_pages",
            "mining_batch",
            "fusion_pages",
            "fusion_epochs",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("plain_linear", "plain_root"):
            weights = getattr(self, name)
            self.require(
                len(weights) == 7 and min(weights) >= 0, name, "seven weights >= 0"
            )
        for name in (
            "tower_weight",
            "named_items",
            "fusion_l2",
            "feedback_items",
            "feedback_weight",
        ):
            self.require(getattr(self, name) >= 0, name, ">= 0")
        self.require(
            set(self.also_relative) <= {"coverage", "dense", "click_rate", "person"},
            "also_relative",
            "some of coverage, dense, click_rate, person",
        )
        self.require(self.max_click_weight >= 1, "max_click_weight", ">= 1")
        self.require(
            len(self.event_gains) == 3
            and min(self.event_gains) >= 0
            and sum(self.event_gains) > 0,
            "event_gains",
            "three numbers >= 0: click, cart, purchase, not all zero",
            "The search ranker learns from pages with a gain: give one of the events a "
            "gain above 0.",
        )
