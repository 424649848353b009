import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core import signatures
from core.features import SECONDS_PER_DAY
from tests.trainer.export.conftest import (
    AS_OF,
    NUM_ITEMS,
    SHELF,
    make_bundle,
    page,
    person,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["whole", "shelf"])
def saved(request, tmp_path_factory) -> Path:
    """The bundle of a small and of a large catalogue."""
    path = tmp_path_factory.mktemp(request.param)
    make_bundle(config=SHELF if request.param == "shelf" else None).save(path)
    return path


@pytest.fixture(scope="module")
def loaded(saved):
    return tf.saved_model.load(str(saved))


def recommend(loaded, *histories: list[str], **changes: object) -> list[list[str]]:
    outputs = loaded.signatures["recommend"](
        **person(*histories), **page(len(histories), **changes)
    )
    return [[i.decode() for i in row] for row in outputs["item_ids"].numpy()]


def test_signatures_have_their_documented_inputs_and_outputs(loaded) -> None:
    specs = {
        name: (
            set(function.structured_input_signature[1]),
            set(function.structured_outputs),
        )
        for name, function in loaded.signatures.items()
    }
    moment = {
        "user_id",
        "history_item_ids",
        "history_events",
        "history_timestamps",
        "timestamp",
        "country",
    }
    narrow = {
        "exclude_item_ids",
        "categories",
        "price_min",
        "price_max",
        "in_stock_only",
        "k",
    }
    shown = {"item_ids", "scores", "reasons"}
    ranked = {"score", "p_view", "p_purchase"}
    columns = {"item_id", "title", "category", "brand", "price"}
    assert specs == {
        "recommend": (moment | narrow, shown),
        "search": ({"query"} | moment | narrow, shown),
        "similar": ({"item_id"} | narrow, shown),
        "rank": (moment | {"candidate_item_ids"}, ranked),
        "embed_query": (moment, {"embeddings"}),
        "embed_item": (columns, {"embeddings"}),
        "serving_default": ({"examples"}, ranked),
    }


def test_scores_fall_and_ids_are_distinct(loaded) -> None:
    outputs = loaded.signatures["recommend"](**person(["i00", "i04"]), **page(1, 30))
    scores = outputs["scores"].numpy()[0]
    ids = [i for i in outputs["item_ids"].numpy()[0] if i]
    assert (np.diff(scores) <= 0).all()
    assert len(ids) == len(set(ids)) == 30
    assert {r.decode() for r in outputs["reasons"].numpy()[0]} - {""}


def test_a_batch_answers_as_its_rows_do_alone(loaded) -> None:
    histories = ["i00", "i04"], ["i01"], [], ["i02", "nobody", "i03"]
    together = recommend(loaded, *histories)
    assert together == [recommend(loaded, h)[0] for h in histories]


def test_strangers_and_unknown_items_get_a_full_page(loaded) -> None:
    for history in ([], ["nobody", "nothing"]):
        assert all(recommend(loaded, history)[0])


def test_filters_hold_on_the_whole_page(loaded) -> None:
    best = recommend(loaded, ["i00", "i04"])[0]
    changed = recommend(
        loaded,
        ["i00", "i04"],
        exclude_item_ids=tf.constant([best[:3]]),
        categories=tf.constant([["Home > mug", "Home > lamp"]]),
        price_min=tf.constant([3.0]),
        price_max=tf.constant([30.0]),
        in_stock_only=tf.constant([True]),
    )[0]
    shown = [int(i[1:]) for i in changed if i]
    assert shown
    assert not {f"i{i:02d}" for i in shown} & set(best[:3])
    assert all(i % 4 in (0, 2) and i % 5 and 3 <= i + 1 <= 30 for i in shown)


def test_a_page_that_filters_empty_is_empty(loaded) -> None:
    changed = recommend(loaded, ["i00"], categories=tf.constant([["Moon"]]))
    assert changed == [[""] * 10]


def test_the_future_is_not_history(loaded) -> None:
    inputs = person(["i00", "i04"])
    late = inputs["history_timestamps"] + 30 * SECONDS_PER_DAY
    ahead = loaded.signatures["recommend"](
        **{**inputs, "history_timestamps": late}, **page(1)
    )
    stranger = loaded.signatures["recommend"](**person([]), **page(1))
    assert (ahead["item_ids"] == stranger["item_ids"]).numpy().all()


def test_a_request_without_a_time_is_at_the_end_of_the_data(loaded) -> None:
    now = loaded.signatures["recommend"](**person(["i00"]), **page(1))
    undated = person(["i00"], timestamp=tf.zeros([1], tf.int64))
    then = loaded.signatures["recommend"](**undated, **page(1))
    np.testing.assert_array_equal(now["item_ids"], then["item_ids"])


def test_similar_finds_the_kind_and_leaves_out_the_item_itself(loaded) -> None:
    outputs = loaded.signatures["similar"](item_id=tf.constant(["i08"]), **page(1, 5))
    ids = [i.decode() for i in outputs["item_ids"].numpy()[0]]
    assert "i08" not in ids
    assert all(int(i[1:]) % 4 == 0 for i in ids)  # the other mugs


def test_similar_for_an_unknown_item_is_what_is_popular(loaded) -> None:
    outputs = loaded.signatures["similar"](item_id=tf.constant(["?"]), **page(1, 3))
    assert all(outputs["item_ids"].numpy()[0])
    assert set(outputs["reasons"].numpy()[0]) == {b"popular now"}


def test_rank_keeps_the_callers_order_and_zeroes_unknown_items(loaded) -> None:
    candidates = tf.constant([["i07", "nobody", "i00"]])
    outputs = loaded.signatures["rank"](
        **person(["i00"]), candidate_item_ids=candidates
    )
    flipped = loaded.signatures["rank"](
        **person(["i00"]), candidate_item_ids=tf.reverse(candidates, [1])
    )
    for name, values in outputs.items():
        assert values.numpy()[0, 1] == 0
        np.testing.assert_allclose(values[:, ::-1], flipped[name], rtol=1e-6)


def example(history: list[str], candidates: list[str], **fields: str) -> bytes:
    def texts(values: list[str]) -> tf.train.Feature:
        encoded = [v.encode() for v in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))

    ages = range(len(history), 0, -1)
    times = [AS_OF - age * SECONDS_PER_DAY for age in ages]
    feature = {
        "history_item_ids": texts(history),
        "history_events": texts(["purchase"] * len(history)),
        "history_timestamps": tf.train.Feature(
            int64_list=tf.train.Int64List(value=times)
        ),
        "candidate_item_ids": texts(candidates),
        **{name: texts([value]) for name, value in fields.items()},
    }
    message = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(message.SerializeToString())


def test_examples_answer_as_rank_does(loaded) -> None:
    serialized = tf.constant(
        [
            example(["i00", "i04"], ["i07", "i08"], user_id="u0", country="France"),
            example([], ["i07", "i08"]),
        ]
    )
    outputs = loaded.signatures["serving_default"](examples=serialized)
    for i, history in enumerate((["i00", "i04"], [])):
        direct = loaded.signatures["rank"](
            **person(history), candidate_item_ids=tf.constant([["i07", "i08"]])
        )
        for name, values in outputs.items():
            np.testing.assert_allclose(values[i], direct[name][0], rtol=1e-5)


def test_examples_of_one_moment_answer_as_each_does_alone(loaded) -> None:
    """Ranked together they are: interleaved here, and more than one group holds."""
    people = [
        {"history": ["i00", "i04"], "user_id": "u0", "country": "France"},
        {"history": ["i00", "i04"], "user_id": "u0", "country": "Spain"},
        {"history": ["i04", "i00"], "user_id": "u0", "country": "France"},
        {"history": []},
    ]
    random = np.random.default_rng(0)
    asked = [
        example(candidates=[f"i{item:02d}"], **people[who])
        for who, item in zip(
            random.choice(4, 90, p=[0.6, 0.2, 0.1, 0.1]),
            random.integers(0, NUM_ITEMS + 2, 90),  # two of no item
            strict=True,
        )
    ]
    score = loaded.signatures["serving_default"]
    together = score(examples=tf.constant(asked))
    for i, one in enumerate(asked):
        for name, alone in score(examples=tf.constant([one])).items():
            np.testing.assert_allclose(together[name][i], alone[0], rtol=1e-5)


def test_no_examples_get_no_scores(loaded) -> None:
    outputs = loaded.signatures["serving_default"](examples=tf.constant([], tf.string))
    assert outputs["score"].shape[0] == 0


def test_empty_examples_are_no_error(loaded) -> None:
    empty = tf.train.Example().SerializeToString()
    outputs = loaded.signatures["serving_default"](examples=tf.constant([empty]))
    assert outputs["score"].shape == (1, 0)


@pytest.mark.parametrize("length", [0, 1, 1024])
def test_history_length_is_dynamic(loaded, length) -> None:
    history = [f"i{i % NUM_ITEMS:02d}" for i in range(length)]
    assert all(recommend(loaded, history)[0])


def test_loads_where_there_is_only_tensorflow(saved) -> None:
    code = f"""
import sys
for name in ("trainer", "core", "tfx", "tensorflow_recommenders", "tf_keras",
             "tensorflow_transform", "keras_nlp"):
    sys.modules[name] = None  # importing it now fails
import tensorflow as tf
model = tf.saved_model.load({str(saved)!r})
print(sorted(model.signatures))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=saved,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert signatures.RECOMMEND in done.stdout
