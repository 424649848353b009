"""Time of a completion and of a correction on a lexicon of 50,000 words.

    python -m benchmarks.bench_suggest [--words 50000] [--data online_retail.parquet]

Words are made of syllables with Zipf-like frequencies, queries and titles of words.
With symspellpy installed it looks up the same misspelt words beside, for comparison.
With Online Retail's file: how many queries made of three words of a title, one of them
misspelt (two letters swapped, one left out or doubled), come back as they were.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import shops
from components.bundle.lexicon import build_lexicon
from core.config.suggest import LexiconConfig, SuggestConfig
from core.lexicon import Lexicon, Pair, Phrase, Query, Term, Word
from core.text.units import completion_key
from serving.suggest import Suggester
from serving.suggest.nearest import NearestWords
from shops.simulated.queries import misspell

DAY = 86_400
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def make_lexicon(num_words: int, rng: random.Random) -> Lexicon:
    """`num_words` words, as many queries, twice as many titles."""
    syllables = [
        a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "or", "un")
    ]
    words: dict[str, int] = {}
    while len(words) < num_words:
        word = "".join(rng.choices(syllables, k=rng.randint(1, 4)))
        words.setdefault(word, 1 + 100_000 // (len(words) + 10))
    names, counts = list(words), list(words.values())

    def texts(number: int, length: int) -> list[str]:
        drawn = iter(rng.choices(names, counts, k=number * length))
        return [" ".join(itertools.islice(drawn, length)) for _ in range(number)]

    titles = texts(2 * num_words, 6)
    pairs = {pair for t in titles for pair in itertools.pairwise(t.split())}
    return Lexicon(
        as_of=100 * DAY,
        terms=tuple(Term(word, count, 0) for word, count in words.items()),
        words=tuple(Word(word, word, count, 0) for word, count in words.items()),
        pairs=tuple(Pair(*pair, 1) for pair in sorted(pairs)),
        queries=tuple(
            Query(text, 9, 5, 3, 99 * DAY, float(weight), "")
            for weight, text in enumerate(texts(num_words, 2))
        ),
        phrases=tuple(
            Phrase(text, "title", float(weight), "")
            for weight, text in enumerate(titles)
        ),
    )


def report(name: str, call: Callable[[str], object], inputs: Sequence[str]) -> None:
    """Prints p50 and p99 of one call per input, in milliseconds."""
    for text in inputs[:20]:
        call(text)
    times = []
    for text in inputs:
        start = time.perf_counter()
        call(text)
        times.append(time.perf_counter() - start)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    print(f"  {name:34} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms   ({len(inputs)} calls)")


def compare_libraries(lexicon: Lexicon, misspelt: list[str]) -> None:
    """rapidfuzz as souk uses it against symspellpy's index of deletions."""
    names = [word.word for word in lexicon.words]
    start = time.perf_counter()
    nearest = NearestWords(names)
    nearest.near("warm", 2)
    print(f"nearest words: rapidfuzz ready in {time.perf_counter() - start:.2f} s")
    report("rapidfuzz, all within 2 edits", lambda w: nearest.near(w, 2), misspelt)
    if importlib.util.find_spec("symspellpy") is None:
        print("  symspellpy is not installed: not compared")
        return
    from symspellpy import SymSpell, Verbosity

    start = time.perf_counter()
    symspell = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    for word in lexicon.words:
        symspell.create_dictionary_entry(word.word, word.items)
    print(f"nearest words: symspellpy ready in {time.perf_counter() - start:.2f} s")
    for name, verbosity in (("all", Verbosity.ALL), ("closest", Verbosity.CLOSEST)):

        def look_up(word: str, verbosity: Verbosity = verbosity) -> object:
            return symspell.lookup(word, verbosity, max_edit_distance=2)

        report(f"symspellpy, {name} within 2 edits", look_up, misspelt)


def recover(data: Path, num_queries: int) -> None:
    """Prints how many misspelt queries from real titles are put right."""
    shop = shops.load("online-retail", data=data)
    lexicon = build_lexicon(
        shop.tables.items,
        shop.tables.events,
        as_of=shop.splits.test_start,
        config=LexiconConfig(),
    )
    suggester = Suggester(lexicon)
    words = {word.word for word in lexicon.words}
    titles = [completion_key(p.text).split() for p in lexicon.phrases]
    rng, numpy_rng = random.Random(1), np.random.default_rng(1)
    right = num_tried = 0
    while num_tried < num_queries:
        title = rng.choice(titles)
        start = rng.randrange(max(len(title) - 2, 1))
        query = title[start : start + 3]
        place = rng.randrange(len(query))
        word = query[place]
        if len(word) < 4 or not word.isalpha():
            continue
        wrong = misspell(word, numpy_rng)
        if wrong in words:
            continue
        num_tried += 1
        typed = " ".join([*query[:place], wrong, *query[place + 1 :]])
        right += suggester.correct(typed).text == " ".join(query)
    print(f"Online Retail: {right} of {num_tried} misspelt queries put right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--data", type=Path, help="Online Retail's file.")
    options = parser.parse_args()
    rng, numpy_rng = random.Random(0), np.random.default_rng(0)
    lexicon = make_lexicon(options.words, rng)
    start = time.perf_counter()
    suggester = Suggester(lexicon)
    print(
        f"{len(lexicon.words):,} words, {len(lexicon.queries):,} queries, "
        f"{len(lexicon.phrases):,} titles: ready in {time.perf_counter() - start:.1f} s"
    )
    queries = rng.choices([q.query for q in lexicon.queries], k=options.calls)
    own = [q.query for q in rng.sample(lexicon.queries, 50)]
    beginnings = [query[: rng.randint(1, len(query))] for query in queries]
    one_wrong = [f"{misspell(q.split()[0], numpy_rng)} {q.split()[1]}" for q in queries]
    most = SuggestConfig().max_corrected_words
    worst = [
        " ".join(w.split()[0] for w in one_wrong[i : i + 2 * most])
        for i in range(min(200, options.calls))
    ]
    long = ["".join(rng.choices(LETTERS + " ", k=10_000)) for _ in range(100)]

    def suggest(text: str) -> object:
        return suggester.suggest(text, history_queries=own)

    report("suggest, 50 own queries", suggest, beginnings)
    report("suggest, one letter", suggest, [p[0] for p in beginnings])
    report("suggest, misspelt beginning", suggest, [q[:6] + "x" for q in one_wrong])
    report("correct, nothing to correct", suggester.correct, queries)
    report("correct, one word misspelt", suggester.correct, one_wrong)
    report(f"correct, {most} and more misspelt", suggester.correct, worst)
    report("suggest, 10,000 characters", suggest, long)
    report("correct, 10,000 characters", suggester.correct, long)
    compare_libraries(lexicon, [q.split()[0] for q in one_wrong])
    if options.data:
        recover(options.data, options.calls)


if __name__ == "__main__":
    main()
