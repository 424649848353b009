"""The lookup in the graph gives what the tables say, in a bare process as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from trainer.search.analyzer import Analyzer
from trainer.search.query_click_index import QueryClickIndex
from trainer.search.query_clicks import QueryClicks
from trainer.search.query_terms import joined_terms

FloatArray = npt.NDArray[np.float32]

QUERIES = ["Mugs", "", "jug", "nothing known", "the MUG?", "the"]


def _tables(pairs: dict[str, dict[int, tuple[float, float]]]) -> QueryClicks:
    """Query → catalogue row → (rate, count), of a catalogue of five items."""
    items = [pairs[query] for query in sorted(pairs)]
    values = [value for owned in items for value in owned.values()]
    return QueryClicks(
        as_of=1,
        num_items=5,
        queries=tuple(sorted(pairs)),
        splits=np.cumsum([0, *map(len, items)]).astype(np.int32),
        rows=np.array([row for owned in items for row in owned], np.int32),
        rates=np.array([rate for rate, _ in values], np.float32),
        counts=np.array([count for _, count in values], np.float32),
    )


EARLY = _tables({"mug": {3: (0.5, 2.0), 0: (0.25, 1.0)}, "jug": {4: (0.75, 3.0)}})
LATE = _tables(
    {
        "mug": {1: (0.125, 4.0)},
        "nothing known": dict.fromkeys(range(5), (0.5, 1.0)),
        "a third": {2: (1.0, 9.0)},
    }
)
NONE = _tables({})


def _expected(rows: dict[int, dict[int, tuple[float, float]]]) -> FloatArray:
    dense = np.zeros((len(QUERIES), 2, 6), np.float32)
    for number, owned in rows.items():
        for row, value in owned.items():
            dense[number, :, row] = value
    return dense


MUG = {3: (0.5, 2.0), 0: (0.25, 1.0)}
EARLY_DENSE = _expected({0: MUG, 4: MUG, 2: {4: (0.75, 3.0)}})
LATE_DENSE = _expected(
    {
        0: {1: (0.125, 4.0)},
        4: {1: (0.125, 4.0)},
        3: dict.fromkeys(range(5), (0.5, 1.0)),
    }
)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


class Clicks(tf.Module):
    """An index asked with queries as typed."""

    def __init__(self, index: QueryClickIndex, analyzer: Analyzer) -> None:
        super().__init__()
        self.index, self.analyzer = index, analyzer

    def of(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self.index.of(joined_terms(self.analyzer, queries))

    def dense(self, queries: tf.Tensor) -> tf.Tensor:
        """[B, 2, n + 1] of what `of` lists; rows come once, pads with nothing."""
        rows, values = self.of(queries)
        one_hot = tf.one_hot(rows, self.index.num_items + 1)
        return tf.einsum("bmn,bmk->bkn", one_hot, values)


def test_spellings_meet_and_unknown_queries_give_zeros(analyzer: Analyzer) -> None:
    index = Clicks(QueryClickIndex(EARLY), analyzer)
    rows, values = index.of(tf.constant(QUERIES))
    assert rows.dtype == tf.int32 and values.dtype == tf.float32
    assert rows.shape == (len(QUERIES), 2)  # as many as the longest list has
    np.testing.assert_array_equal(index.dense(tf.constant(QUERIES)), EARLY_DENSE)
    unknown, nothing = index.of(tf.constant(["mug jug", ""]))
    assert unknown.shape == (2, 0) and nothing.shape == (2, 0, 2)
    none, _ = index.of(tf.constant([], tf.string))
    assert none.shape == (0, 0)


def test_swapped_tables_answer_without_tracing_again(analyzer: Analyzer) -> None:
    index = QueryClickIndex(EARLY)
    clicks = Clicks(index, analyzer)
    traced = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def dense(queries: tf.Tensor) -> tf.Tensor:
        traced.append(1)
        return clicks.dense(queries)

    queries = tf.constant(QUERIES)
    for tables, expected in (
        (EARLY, EARLY_DENSE),
        (LATE, LATE_DENSE),
        (NONE, _expected({})),
        (EARLY, EARLY_DENSE),
    ):
        index.swap(tables)
        np.testing.assert_array_equal(dense(queries), expected)
    assert len(traced) == 1


def test_tables_of_another_catalogue_are_refused(analyzer: Analyzer) -> None:
    index = QueryClickIndex(EARLY)
    other = QueryClicks(**(vars(EARLY) | {"num_items": 6}))
    with pytest.raises(ValueError, match="num_items"):
        index.swap(other)


@pytest.mark.slow
def test_a_saved_model_answers_with_tensorflow_alone(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    index = QueryClickIndex(EARLY)
    index.swap(LATE)
    clicks = Clicks(index, analyzer)
    dense = tf.function(
        clicks.dense,
        input_signature=[tf.TensorSpec([None], tf.string, "queries")],
    )
    signatures = {"serving_default": dense.get_concrete_function()}
    tf.saved_model.save(clicks, str(tmp_path / "model"), signatures=signatures)
    program = (
        "import numpy, sys, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "call = model.signatures['serving_default']\n"
        f"found = call(queries=tf.constant({QUERIES!r}))\n"
        "numpy.save(sys.argv[2], next(iter(found.values())))\n"
        "assert not any(name.startswith('trainer') for name in sys.modules)\n"
    )
    output = tmp_path / "found.npy"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model"), str(output)],
        check=True,
        timeout=300,
        cwd=tmp_path,
    )
    np.testing.assert_array_equal(np.load(output), LATE_DENSE)
