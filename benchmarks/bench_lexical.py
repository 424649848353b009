"""Words to the best rows: the index in the graph beside bm25s and tantivy.

    python -m benchmarks.bench_lexical [--items 50000] [--rounds 40]

All hold the same made titles and give rows and scores of the best 20 of the same
queries. `words` starts from the query's text, each with its own tokenizer; `terms` from
term ids, or from the query that tantivy has parsed. All run on one thread, ours as the
model server calls it, and take turns; what counts is processor time, the clock's time
on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.made_titles import made_titles
from core.config.lexical import LexicalConfig
from serving.model_server.saved_model import LoadedModel
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import InvertedIndex, build_inverted_index
from trainer.search.lexical import LexicalIndex

K = 20
NUM_WORDS = 3
NUM_COMMON, NUM_RARE = 30, 2000
BATCHES = (1, 32)
KINDS = ("common", "title", "rare")
# A batch may take this times as long as the faster peer's.
BARS = {1: 1.0, 32: 2.0}
PEERS = ("bm25s numba", "tantivy")
OURS = "souk ragged"

# Texts of a batch -> the finished call and the best score of each query.
Call = Callable[[], np.ndarray]
Prepare = Callable[[list[str]], Call]


def souk(
    index: InvertedIndex, config: LexicalConfig, analyzer: Analyzer, folder: Path
) -> dict[str, Prepare]:
    """Our form `config.form`, saved and loaded again."""
    lexical = LexicalIndex(index, config, analyzer)
    module = tf.Module()
    module.index = lexical

    def page(terms: tf.Tensor) -> dict[str, tf.Tensor]:
        values, rows = lexical.best(terms, K)
        return {"values": values, "rows": rows}

    signatures = {
        "words": tf.function(
            lambda queries: page(lexical.terms(queries)),
            input_signature=[tf.TensorSpec([None], tf.string, name="queries")],
        ),
        "terms": tf.function(
            page, input_signature=[tf.TensorSpec([None, None], tf.int32, name="terms")]
        ),
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1)
    model = LoadedModel(
        name="lexical", version=1, path=folder, session_config=one_thread
    )

    def caller(name: str) -> Callable[[list[np.ndarray]], np.ndarray]:
        signature = model.signature(name)
        values = list(signature.outputs).index("values")
        return lambda feeds: signature.run(feeds)[values]

    run_words, run_terms = caller("words"), caller("terms")

    def words(texts: list[str]) -> Call:
        feeds = [np.array([text.encode() for text in texts], object)]
        return lambda: run_words(feeds)

    def terms(texts: list[str]) -> Call:
        feeds = [lexical.terms(tf.constant(texts)).numpy()]
        return lambda: run_terms(feeds)

    return {"words": words, "terms": terms}


def titles_as_terms(index: InvertedIndex) -> list[list[str]]:
    field, words = index.title, [term.decode() for term in index.terms]
    bounds = zip(field.splits[:-1], field.splits[1:], strict=True)
    return [[words[t] for t in field.terms[start:end]] for start, end in bounds]


def bm25s_peer(
    index: InvertedIndex, config: LexicalConfig, backend: str
) -> dict[str, Prepare]:
    """bm25s over the same terms, on one thread: more are slower on these batches."""
    import bm25s

    peer = bm25s.BM25(method="lucene", k1=config.k1, b=config.b, backend=backend)
    peer.index(titles_as_terms(index), show_progress=False)

    def found(tokens: object) -> np.ndarray:
        return peer.retrieve(
            tokens, k=K, show_progress=False, backend_selection=backend
        ).scores

    def from_words(texts: list[str]) -> Call:
        return lambda: found(
            bm25s.tokenize(texts, stopwords=None, return_ids=False, show_progress=False)
        )

    def from_terms(texts: list[str]) -> Call:
        tokens = [text.split() for text in texts]
        return lambda: found(tokens)

    return {"words": from_words, "terms": from_terms}


def tantivy_peer(index: InvertedIndex, config: LexicalConfig) -> dict[str, Prepare]:
    """tantivy over the same terms; rows come from a fast field, no document is read."""
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("title")
    peer = tantivy.Index(schema.add_integer_field("row", fast=True).build())
    writer = peer.writer(num_threads=1)
    for row, title in enumerate(titles_as_terms(index)):
        writer.add_document(tantivy.Document(title=" ".join(title), row=row))
    writer.commit()
    writer.wait_merging_threads()
    peer.reload()
    searcher = peer.searcher()

    def best(query: object) -> float:
        hits = searcher.search(query, K, count=False).hits
        searcher.fast_field_values("row", [address for _, address in hits])
        return hits[0][0] / (config.k1 + 1) if hits else 0.0  # its form has the factor

    def words(texts: list[str]) -> Call:
        return lambda: np.array(
            [[best(peer.parse_query(text, ["title"]))] for text in texts]
        )

    def terms(texts: list[str]) -> Call:
        queries = [peer.parse_query(text, ["title"]) for text in texts]
        return lambda: np.array([[best(query)] for query in queries])

    return {"words": words, "terms": terms}


def queries(index: InvertedIndex, kind: str, count: int) -> list[str]:
    """Texts of three Latin words: common, rare, or any three of one title."""
    held = np.diff(index.splits)
    words = [term.decode() for term in index.terms]
    # bm25s and tantivy split elsewhere and drop single letters: plain words are alike.
    plain = np.array([w.isascii() and w.isalpha() and len(w) > 2 for w in words])
    ranked = np.argsort(-np.where(plain, held, -1), kind="stable")[: plain.sum()]
    random = np.random.default_rng(5)
    field = index.title
    pools = {"common": ranked[:NUM_COMMON], "rare": ranked[-NUM_RARE:]}
    texts: list[str] = []
    while len(texts) < count:
        row = random.integers(index.num_items)
        title = np.unique(field.terms[field.splits[row] : field.splits[row + 1]])
        pool = pools.get(kind, title[plain[title]])
        if len(pool) >= NUM_WORDS:
            pick = random.choice(pool, NUM_WORDS, replace=False)
            texts.append(" ".join(words[term] for term in pick))
    return texts


def measure(contenders: dict[str, Prepare], texts: list[str], size: int, rounds: int):
    """Median processor ms per call of each contender, taking turns over the batches."""
    batches = [texts[i : i + size] for i in range(0, len(texts) - size + 1, size)]
    calls = {name: [make(b) for b in batches] for name, make in contenders.items()}
    for each in calls.values():
        for call in each[:3]:
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds):
        for name, each in calls.items():
            for call in each[turn % len(each) :][:4]:
                start = time.process_time_ns()
                call()
                times[name].append((time.process_time_ns() - start) / 1e9)
    return {name: float(np.median(each)) * 1e3 for name, each in times.items()}


def bench(items: int, rounds: int) -> bool:
    """Prints the table; returns whether our form meets both bars from the words."""
    analyzer, config = Analyzer(), LexicalConfig()
    titles = made_titles(items)
    start = time.perf_counter()
    index = build_inverted_index({"title": titles}, config, analyzer)
    print(
        f"{items} titles, {len(index.rows)} postings, {len(index.terms)} terms; "
        f"built in {time.perf_counter() - start:.1f} s; cores {os.cpu_count()}, load "
        f"before {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        contenders = {
            f"souk {form}": souk(
                index, config.replace(form=form), analyzer, Path(folder) / form
            )
            for form in ("ragged", "segment")
        }
        for backend in ("numba", "numpy"):
            contenders[f"bm25s {backend}"] = bm25s_peer(index, config, backend)
        contenders["tantivy"] = tantivy_peer(index, config)
        check(contenders, queries(index, "common", 32))
        return compare(contenders, index, rounds)


def check(contenders: dict[str, dict[str, Prepare]], texts: list[str]) -> None:
    """How far the best scores are from ours; tantivy keeps lengths in one byte."""
    found = {name: each["words"](texts)() for name, each in contenders.items()}
    for name, scores in found.items():
        distance = np.abs(scores[:, 0] - found[OURS][:, 0]).max()
        print(f"{name}: best scores within {distance:.1e} of ours")


def compare(
    contenders: dict[str, dict[str, Prepare]], index: InvertedIndex, rounds: int
) -> bool:
    met = True
    names = "".join(f"{name:>15}" for name in contenders)
    print(f"{'median ms':24}{names}  ratio")
    for start in ("words", "terms"):
        for size in BATCHES:
            for kind in KINDS:
                texts = queries(index, kind, 32 * size if size == 1 else 8 * size)
                made = {name: each[start] for name, each in contenders.items()}
                ms = measure(made, texts, size, rounds)
                ratio = ms[OURS] / min(ms[name] for name in PEERS)
                met &= start != "words" or ratio <= BARS[size]
                print(
                    f"{start}, {kind}, batch {size:<5}".ljust(24)
                    + "".join(f"{ms[name]:15.3f}" for name in contenders)
                    + f"  {ratio:5.2f} (bar {BARS[size]:.0f})",
                    flush=True,
                )
    print(f"ratio: {OURS} over the faster of {' and '.join(PEERS)}")
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    return 0 if bench(options.items, options.rounds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
