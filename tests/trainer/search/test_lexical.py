"""BM25 in the graph against bm25s, filters, odd queries, and the saved form."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import bm25s
import numpy as np
import pytest
import tensorflow as tf

from core.config.lexical import LexicalConfig
from shops import online_retail
from tests.trainer.search.catalogues import known_item_queries, simulated
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import InvertedIndex, build_inverted_index
from trainer.search.lexical import LexicalIndex

TITLE_ONLY = LexicalConfig(category_weight=0, brand_weight=0, description_weight=0)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture(scope="module")
def tiny_items() -> dict[str, list[str]]:
    return simulated("tiny")[0]


@pytest.fixture(scope="module")
def tiny_index(analyzer, tiny_items) -> InvertedIndex:
    return build_inverted_index(tiny_items, LexicalConfig(), analyzer)


@pytest.fixture(scope="module")
def tiny(analyzer, tiny_index) -> LexicalIndex:
    return LexicalIndex(tiny_index, LexicalConfig(), analyzer)


def assert_equals_bm25s(
    titles: list[str], queries: list[str], analyzer: Analyzer
) -> None:
    index = build_inverted_index({"title": titles}, TITLE_ONLY, analyzer)
    lexical = LexicalIndex(index, TITLE_ONLY, analyzer)
    peer = bm25s.BM25(method="lucene", k1=TITLE_ONLY.k1, b=TITLE_ONLY.b)
    corpus = [[t.decode() for t in each] for each in analyzer(titles).to_list()]
    peer.index(corpus, show_progress=False)
    terms = lexical.terms(tf.constant(queries))
    scores = lexical.scores(terms).numpy()
    best = lexical.best(terms, 20)[0].numpy()
    assert scores.shape == (len(queries), len(titles) + 1)
    for row, words in enumerate(analyzer(queries).to_list()):
        # bm25s fails on no words at all.
        expected = peer.get_scores([word.decode() for word in words or [b"qwxyz"]])
        np.testing.assert_allclose(scores[row, :-1], expected, atol=1e-4)
        np.testing.assert_allclose(best[row], np.sort(expected)[::-1][:20], atol=1e-4)
    assert (scores[:, :-1].max(axis=1) > 0).mean() > 0.9  # the queries do find things


def test_scores_equal_bm25s_on_the_tiny_shop(analyzer, tiny_items) -> None:
    titles = tiny_items["title"]
    assert_equals_bm25s(titles, known_item_queries(titles, 200), analyzer)


@pytest.mark.slow
def test_scores_equal_bm25s_on_the_demo_shop(analyzer) -> None:
    items, queries = simulated("demo")
    queries = queries + known_item_queries(items["title"], 500)
    assert_equals_bm25s(items["title"], queries, analyzer)


@pytest.mark.slow
def test_scores_equal_bm25s_on_online_retail(analyzer, shared_data: Path) -> None:
    shop = online_retail.load(shared_data / "online_retail")
    titles = [title for title in shop.tables.items["title"].to_pylist() if title]
    assert len(titles) > 3_000
    assert_equals_bm25s(titles, known_item_queries(titles, 500), analyzer)


def test_both_forms_give_the_same(analyzer, tiny, tiny_index, tiny_items) -> None:
    other = LexicalIndex(tiny_index, LexicalConfig(form="segment"), analyzer)
    queries = ["", "the", "qwxyz", *known_item_queries(tiny_items["title"], 61)]
    for texts in (queries, queries[:1], queries[:3]):
        terms = tiny.terms(tf.constant(texts))
        sums, other_sums = tiny.sums(terms), other.sums(terms)
        np.testing.assert_allclose(other_sums.scores, sums.scores, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(other_sums.codes, sums.codes)
        np.testing.assert_array_equal(tiny.scores(terms), sums.scores[:, :321])
        np.testing.assert_array_equal(other.scores(terms), other_sums.scores[:, :321])


def test_the_segment_form_touches_postings_with_gpu_kernels_only(
    analyzer, tiny_index
) -> None:
    index = LexicalIndex(tiny_index, LexicalConfig(form="segment"), analyzer)
    traced = tf.function(index.sums).get_concrete_function(
        tf.TensorSpec([None, None], tf.int32)
    )
    # The numbering of the blocks of postings and all that comes after it.
    numbered = [op for op in traced.graph.get_operations() if op.type == "Range"]
    open_ends = [op for op in numbered if op.outputs[0].dtype == tf.int64]
    after = set(open_ends)
    while open_ends:
        for output in open_ends.pop().outputs:
            heirs = [
                op for op in output.consumers() if op.type not in ("Shape", "Size")
            ]
            new = [op for op in heirs if op not in after]
            after.update(new)
            open_ends.extend(new)
    assert {"GatherV2", "UnsortedSegmentSum"} <= {op.type for op in after}
    on_host = [op.name for op in after if not runs_on_gpu(op)]
    assert not on_host


def runs_on_gpu(op: tf.Operation) -> bool:
    """Whether this TensorFlow has a GPU kernel for it that keeps its results there."""
    from tensorflow.python.framework import kernels

    outputs = {output.name for output in op.op_def.output_arg}
    for kernel in kernels.get_registered_kernels_for_op(op.type).kernel:
        fits = all(
            op.get_attr(rule.name) in rule.allowed_values.list.type
            for rule in kernel.constraint
        )
        on_device = not outputs & set(kernel.host_memory_arg)
        if kernel.device_type in ("GPU", "DEFAULT") and fits and on_device:
            return True
    return False


def test_best_rows_are_those_of_the_scores(tiny) -> None:
    terms = tiny.terms(tf.constant(["silicone bottle brush", "保温杯", "no such word"]))
    scores = tiny.scores(terms).numpy()
    values, rows = (part.numpy() for part in tiny.best(terms, 7))
    for query in range(3):
        picked = rows[query][values[query] > 0]
        np.testing.assert_array_equal(
            scores[query, picked], values[query][: len(picked)]
        )
        assert len(set(picked.tolist())) == len(picked)
    assert (values[0] > 0).all() and (np.diff(values[0]) <= 0).all()
    assert rows[2].tolist() == [tiny.num_items] * 7
    assert values[2].tolist() == [0.0] * 7


@pytest.mark.parametrize("form", ["ragged", "segment"])
def test_rare_and_common_words_give_the_best_of_their_scores(analyzer, form) -> None:
    # A word of one item is sorted by itself, one of 400 items among all.
    config = LexicalConfig(form=form)
    titles = [f"red mug {'big ' * (row % 3)}nr{row}x" for row in range(400)]
    index = build_inverted_index({"title": titles}, config, analyzer)
    lexical = LexicalIndex(index, config, analyzer)
    rare = ["nr x", "", "qwxyz", "7 99", "7 7 big"]
    for queries in (["7"], ["qwxyz"], rare[:4], rare, ["red mug"], ["red 7", "399"]):
        terms = lexical.terms(tf.constant(queries))
        scores = lexical.scores(terms).numpy()[:, :-1]
        values, rows = (part.numpy() for part in lexical.best(terms, 9))
        np.testing.assert_allclose(values, -np.sort(-scores)[:, :9], rtol=1e-6)
        for found, row, value in zip(scores, rows, values, strict=True):
            held = row[value > 0]
            np.testing.assert_allclose(found[held], value[value > 0], rtol=1e-6)
            assert len(set(held)) == len(held)
            assert (row[value == 0] == len(titles)).all()


def test_filters_come_before_the_best(tiny) -> None:
    terms = tiny.terms(tf.constant(["bottle"] * 2))
    scores = tiny.scores(terms).numpy()[0, :-1]
    third = np.sort(np.unique(scores))[-3]
    allowed = np.stack([scores <= third, np.zeros(len(scores), bool)])
    values, rows = tiny.best(terms, 5, tf.constant(allowed))
    expected = np.sort(scores[scores <= third])[::-1][:5]
    np.testing.assert_array_equal(values[0], expected)
    assert (scores[rows[0].numpy()] == expected).all()
    assert rows[1].numpy().tolist() == [tiny.num_items] * 5  # nothing is allowed


def test_no_more_than_the_catalogue_comes_back(analyzer) -> None:
    config = LexicalConfig()
    index = build_inverted_index({"title": ["mug", "jug"]}, config, analyzer)
    lexical = LexicalIndex(index, config, analyzer)
    _, rows = lexical.best(lexical.terms(tf.constant(["jug"])), 10)
    assert rows.numpy().tolist() == [[1, 2]]


def test_coverage_is_the_share_of_the_querys_idf(analyzer) -> None:
    config = LexicalConfig()
    titles = ["red mug", "red jug", "plate"]
    index = build_inverted_index({"title": titles}, config, analyzer)
    lexical = LexicalIndex(index, config, analyzer)
    found = lexical.coverage(
        lexical.terms(tf.constant(["red mug", "mug qwxyz", "the"])),
        tf.constant([[0, 1, 2, 3]] * 3),
    )
    # df 2, 1 and 0 of three items.
    red, mug, none = (np.log1p((3.5 - df) / (df + 0.5)) for df in (2, 1, 0))
    expected = [
        [1, red / (red + mug), 0, 0],
        [mug / (mug + none), 0, 0, 0],
        [0, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, expected, atol=0.01)  # idf in steps


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "the of and",
        "qwxyz",
        "\x00\x07\x1b",
        "🎉👍🏽",
        "...",
        "\ue000",
        "\ud7ff",
    ],
)
def test_a_query_without_known_words_finds_nothing(tiny, query) -> None:
    terms = tiny.terms(tf.constant([query]))
    values, rows = tiny.best(terms, 3)
    assert values.numpy().tolist() == [[0.0] * 3]
    assert rows.numpy().tolist() == [[tiny.num_items] * 3]
    every = tf.range(tiny.num_items + 1)[None]
    assert not tiny.coverage(terms, every).numpy().any()
    features = tiny.matches(terms, tf.constant([[0, tiny.num_items]])).numpy()
    assert not features[..., : tiny.match_names.index("log1p_query_terms")].any()


@pytest.mark.parametrize(
    "query",
    [
        "bottle 🎉 \x00\x1b",
        "مرحبا bottle",
        "\u202ebottle\u202c",
        b"bottle \xff\xfe",
        "bottle " * 1500,
        "bottle" + " \t\r\n" * 2500,
    ],
)
def test_odd_characters_do_not_hide_a_word(tiny, query) -> None:
    values, _ = tiny.best(tiny.terms(tf.constant([query])), 3)
    assert (values.numpy() > 0).all()


@pytest.mark.slow
def test_long_queries_are_cut_and_take_no_longer(tiny) -> None:
    search = tf.function(lambda texts: tiny.best(tiny.terms(texts), 3))
    for text in ("ab " * 3_334, "保温杯" * 3_334, "🎉" * 10_000, "\u0301" * 10_000):
        query = tf.constant([text])
        search(query)
        start = time.perf_counter()
        search(query)
        assert time.perf_counter() - start < 0.5
        assert tiny.terms(query).shape[1] <= LexicalConfig().max_query_terms


def module_of(lexical: LexicalIndex) -> tf.Module:
    """What a bundle does with the index: one signature from the words on."""
    module = tf.Module()
    module.index = lexical

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="queries")])
    def search(queries: tf.Tensor) -> dict[str, tf.Tensor]:
        terms = lexical.terms(queries)
        sums = lexical.sums(terms)
        values, rows = lexical.best(terms, 5, sums=sums)
        matches = lexical.matches(terms, rows, sums)
        return {"values": values, "rows": rows, "matches": matches}

    module.search = search
    return module


QUERIES = ["silicone bottle brush", "", "保温杯 500毫升", "🎉 qwxyz"]


@pytest.mark.slow
def test_a_process_with_only_tensorflow_gives_the_same(tiny, tmp_path) -> None:
    module = module_of(tiny)
    tf.saved_model.save(module, str(tmp_path / "model"))
    script = f"""
import sys, numpy as np, tensorflow as tf
model = tf.saved_model.load({str(tmp_path / "model")!r})
found = model.search(tf.constant({QUERIES!r}))
np.savez({str(tmp_path / "found.npz")!r}, **{{k: v.numpy() for k, v in found.items()}})
assert not {{"trainer", "core", "tensorflow_text"}} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=300, cwd=tmp_path
    )
    expected = module.search(tf.constant(QUERIES))
    with np.load(tmp_path / "found.npz") as found:
        for name, tensor in expected.items():
            np.testing.assert_array_equal(found[name], tensor, err_msg=name)
    assert (expected["values"].numpy()[[0, 2]] > 0).all()
