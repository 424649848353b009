"""How the lexicon is made, and how suggestions and spelling use it."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.limits import MAX_EVENTS
from core.text.edits import MIN_LETTERS, MISSPELLING_RATIO


@dataclasses.dataclass(frozen=True, kw_only=True)
class LexiconConfig(Config):
    """What of the log becomes the shop's lexicon."""

    # A larger log is sampled by user: everything of some, nothing of the others.
    max_events: int = MAX_EVENTS
    # A query that fewer people typed is nobody else's business: it may name a person.
    min_query_users: int = 2
    # A search counts half after so many days.
    half_life_days: float = 30.0
    # A word of the log that no item has is a word of the shop (a synonym, a new brand)
    # unless a word of the items is one or two letters away and that many times as
    # frequent: then it is a misspelling that many people make.
    misspelling_ratio: float = MISSPELLING_RATIO
    # Memory of whoever loads it; the most popular ones stay.
    max_queries: int = 100_000
    max_titles: int = 100_000
    max_pairs: int = 300_000

    def __post_init__(self) -> None:
        self.require(self.max_events >= 1, "max_events", ">= 1")
        self.require(self.min_query_users >= 1, "min_query_users", ">= 1")
        self.require(self.half_life_days > 0, "half_life_days", "> 0")
        self.require(self.misspelling_ratio > 0, "misspelling_ratio", "> 0")
        for name in ("max_queries", "max_titles", "max_pairs"):
            self.require(getattr(self, name) >= 0, name, ">= 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SuggestConfig(Config):
    """Completions, corrections, and when a correction may stand in for the query."""

    # Longest list of completions that a caller may ask for.
    max_completions: int = 50
    # Of one's own earlier queries, at the top of the list.
    max_history: int = 5
    # What the strongest completion of each kind scores; log-popularity scales it.
    query_weight: float = 1.0
    category_weight: float = 0.8
    brand_weight: float = 0.7
    title_weight: float = 0.5
    # Added to completions of a category that the person likes.
    category_bonus: float = 0.2
    # Words of fewer letters are never corrected; of this many or more, by two edits.
    min_word_letters: int = MIN_LETTERS
    two_edits_from: int = 6
    # Unknown words of one query that are looked up: bounds the time.
    max_corrected_words: int = 8
    # A page with as many items that hold every word of the query is a good page.
    min_good_matches: int = 3

    def __post_init__(self) -> None:
        self.require(self.max_completions >= 1, "max_completions", ">= 1")
        self.require(self.max_history >= 0, "max_history", ">= 0")
        for name in ("query", "category", "brand", "title"):
            self.require(getattr(self, f"{name}_weight") >= 0, f"{name}_weight", ">= 0")
        self.require(self.category_bonus >= 0, "category_bonus", ">= 0")
        self.require(self.min_word_letters >= 2, "min_word_letters", ">= 2")
        self.require(
            self.two_edits_from > self.min_word_letters,
            "two_edits_from",
            "> min_word_letters",
        )
        self.require(self.max_corrected_words >= 0, "max_corrected_words", ">= 0")
        self.require(self.min_good_matches >= 1, "min_good_matches", ">= 1")
