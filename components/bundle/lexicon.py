"""Items and events to the lexicon that suggestions and spelling read."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from components.bundle.query_log import sum_up_queries
from core import features
from core.config.suggest import LexiconConfig, SuggestConfig
from core.lexicon import (
    BRAND,
    CATEGORY,
    TITLE,
    Lexicon,
    Pair,
    Phrase,
    Query,
    Term,
    Word,
)
from core.text.units import completion_key, units, words_and_terms
from serving.suggest.speller import Speller
from serving.suggest.vocabulary import Vocabulary
from trainer.data.log_sample import read_log, share_of_users
from trainer.search.catalogue_words import SHORT_TEXTS, CatalogueWords, item_texts
from trainer.search.terms import count_terms

# Texts of an item that the search index reads.
_TEXTS = (*SHORT_TEXTS, features.DESCRIPTION)
_SPLITS = ("train", "eval", "test")
_EVENT_COLUMNS = (
    features.USER_ID,
    features.ITEM_ID,
    features.EVENT,
    features.TIMESTAMP,
)
_SEARCH_COLUMNS = (features.QUERY, features.SESSION_ID)  # a shop may have none


def build_lexicon(
    items: pa.Table, events: pa.Table, *, as_of: int, config: LexiconConfig
) -> Lexicon:
    """The shop's words, queries and phrases.

    Words of the items are words of the shop. A word that only people type becomes one
    if several of them did, their searches led somewhere, and it is no misspelling of an
    item's word. Queries made of the shop's words are suggested to others.

    Args:
      items: canonical items.
      events: canonical events; `query` may be absent or empty.
      as_of: events from this second on are not read, seconds UTC.
      config: what is kept.
    """
    log = sum_up_queries(events, items, as_of=as_of, config=config)
    catalogue = CatalogueWords(items)
    searched = Counter[str]()
    for query, count in zip(log["query"], log["count"], strict=True):
        for word in {unit.surface for unit in units(query)}:
            searched[word] += int(count)
    words = _words_of(catalogue, searched)
    terms = _terms(items, log)
    of_items = _as_pairs(catalogue.pairs.items())
    known = Vocabulary([t for t in terms if t.items], words, of_items)
    new = _new_words(log, known, searched, config)
    words += new
    new_terms = {word.term for word in new}
    terms = [t for t in terms if t.items or t.term in new_terms]
    kept = _suggested(log, Vocabulary(terms, words, ()), config)
    pairs = _pairs_with(catalogue, zip(kept["query"], kept["count"], strict=True))
    return Lexicon(
        as_of=as_of,
        terms=tuple(terms),
        words=tuple(sorted(words, key=lambda w: (-w.items - w.queries, w.word))),
        pairs=_most_frequent(pairs, config.max_pairs),
        queries=tuple(
            Query(**{str(n): v for n, v in row.items()})
            for row in kept.head(config.max_queries).to_dict("records")
        ),
        phrases=tuple(_phrases(items, events, as_of, config)),
    )


def read_events(uri: str, config: LexiconConfig) -> pa.Table:
    """The events of an Examples artifact, all splits, with what the lexicon needs.

    Of more than `config.max_events`, those of a share of the users.
    """
    share = share_of_users(uri, _SPLITS, config.max_events)
    return read_log(uri, _SPLITS, _EVENT_COLUMNS, share, optional=_SEARCH_COLUMNS)


def _words_of(catalogue: CatalogueWords, searched: Counter[str]) -> list[Word]:
    return [
        Word(word, catalogue.terms[word], items, searched[word])
        for word, items in catalogue.items_with.items()
    ]


def _pairs_with(
    catalogue: CatalogueWords, queries: Iterable[tuple[str, int]]
) -> Counter[tuple[str, str]]:
    """Those of the items and those of queries, `count` times each."""
    total = Counter(catalogue.pairs)
    for query, count in queries:
        for pair in itertools.pairwise(word for word, _ in words_and_terms(query)):
            total[pair] += int(count)
    return total


def _terms(items: pa.Table, log: pd.DataFrame) -> list[Term]:
    """The analyzer's terms of items and queries."""
    of_items = count_terms([" \n ".join(texts) for texts in item_texts(items, _TEXTS)])
    of_queries = count_terms(log["query"].tolist(), log["count"].tolist())
    return [
        Term(term, of_items[term], of_queries[term])
        for term in sorted(of_items.keys() | of_queries.keys())
    ]


def _new_words(
    log: pd.DataFrame, known: Vocabulary, searched: Counter[str], config: LexiconConfig
) -> list[Word]:
    """Words of the shop that no item has: synonyms, brands about to come."""
    if log.empty:
        return []
    spelling = SuggestConfig()
    speller = Speller(known, spelling)
    serious = log[_is_serious(log, config)]
    new: dict[str, Word] = {}
    for unit in (unit for query in serious["query"] for unit in units(query)):
        word = unit.surface
        if word in new or known.knows(unit) or not unit.term:
            continue
        if len(word) < spelling.min_word_letters:  # half of a word cut in two
            continue
        correction = speller.correct(word)
        frequency = min(map(known.frequency, correction.text.split()))
        if not correction.changed or (
            frequency < config.misspelling_ratio * searched[word]
        ):
            new[word] = Word(word, unit.term, 0, searched[word])
    return list(new.values())


def _suggested(
    log: pd.DataFrame, vocabulary: Vocabulary, config: LexiconConfig
) -> pd.DataFrame:
    """Queries that others may see: serious ones made of the shop's words."""
    if log.empty:
        return log
    is_known = [
        all(vocabulary.knows(u) or not u.term for u in units(query))
        for query in log["query"]
    ]
    return log[_is_serious(log, config) & np.array(is_known)]


def _is_serious(log: pd.DataFrame, config: LexiconConfig) -> pd.Series:
    """Several people typed it, and it led somewhere in a shop that logs clicks."""
    led_somewhere = (log["clicks"] > 0) | (log["clicks"].max() == 0)
    return (log["users"] >= config.min_query_users) & led_somewhere


def _phrases(
    items: pa.Table, events: pa.Table, as_of: int, config: LexiconConfig
) -> list[Phrase]:
    """Titles, brands and category names, each kind by weight."""
    weights = _item_weights(items, events, as_of, config)
    kinds = (TITLE, CATEGORY, BRAND)
    of_texts = {kind: defaultdict[str, float](float) for kind in kinds}
    paths: dict[str, str] = {}
    texts = item_texts(items, SHORT_TEXTS)
    for (title, path, brand), weight in zip(texts, weights, strict=True):
        paths.setdefault(title, path)
        of_texts[TITLE][title] += weight
        of_texts[BRAND][brand] += weight
        levels = path.split(features.CATEGORY_SEPARATOR)
        for depth, name in enumerate(levels, 1):
            paths.setdefault(name, features.CATEGORY_SEPARATOR.join(levels[:depth]))
            of_texts[CATEGORY][name] += weight
    return [
        Phrase(text, kind, weight, "" if kind == BRAND else paths[text])
        for kind, weight_of in of_texts.items()
        for text, weight in sorted(weight_of.items(), key=lambda e: (-e[1], e[0]))[
            : config.max_titles if kind == TITLE else None
        ]
        if completion_key(text)
    ]


def _item_weights(
    items: pa.Table, events: pa.Table, as_of: int, config: LexiconConfig
) -> list[float]:
    """Per item, its events but views, each 0.5^(age in days / half_life_days)."""
    frame = events.select(
        [features.ITEM_ID, features.EVENT, features.TIMESTAMP]
    ).to_pandas()
    wanted = frame[features.EVENT] != features.VIEW
    frame = frame[wanted & (frame[features.TIMESTAMP] < as_of)]
    age_days = (as_of - frame[features.TIMESTAMP]) / features.SECONDS_PER_DAY
    decayed = np.power(0.5, age_days / config.half_life_days)
    sums = decayed.groupby(frame[features.ITEM_ID]).sum()
    ids = items.column(features.ITEM_ID).to_pylist()
    return [float(weight) for weight in sums.reindex(ids).fillna(0.0)]


def _most_frequent(pairs: Counter[tuple[str, str]], limit: int) -> tuple[Pair, ...]:
    ordered = sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(_as_pairs(ordered[:limit]))


def _as_pairs(counts: Iterable[tuple[tuple[str, str], int]]) -> Iterator[Pair]:
    return (Pair(*words, count) for words, count in counts)
