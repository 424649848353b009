"""Requests of different widths and page sizes join one batch and come apart again."""

from __future__ import annotations

import dataclasses

import numpy as np

from core import features, signatures
from serving.model_server import batching


@dataclasses.dataclass
class Spec:
    shape: tuple[int | None, ...] | None


HISTORY = features.HISTORY_ITEM_IDS
TIMES = features.HISTORY_TIMESTAMPS


def page_plan() -> batching.Plan:
    inputs = {
        features.USER_ID: Spec((None,)),
        HISTORY: Spec((None, None)),
        TIMES: Spec((None, None)),
        signatures.EXCLUDE_ITEM_IDS: Spec((None, None)),
        signatures.K: Spec(()),
    }
    return batching.plan(inputs, {"item_ids": Spec((None, None))})


def request(user: str, history: list[str], exclude: list[str], k: int) -> list:
    return [
        np.array([user.encode()], object),
        np.array([[h.encode() for h in history]], object),
        np.array([range(1, len(history) + 1)], np.int64),
        np.array([[e.encode() for e in exclude]], object),
        np.array(k, np.int32),
    ]


def test_shorter_histories_are_padded_in_front_and_filters_behind() -> None:
    users, history, times, exclude, k = batching.join(
        page_plan(),
        [request("a", ["x", "y", "z"], ["e"], 3), request("b", ["w"], ["f", "g"], 7)],
    )

    assert users.tolist() == [b"a", b"b"]
    assert history.tolist() == [[b"x", b"y", b"z"], [b"", b"", b"w"]]
    assert times.tolist() == [[1, 2, 3], [0, 0, 1]]
    assert times.dtype == np.int64
    assert exclude.tolist() == [[b"e", b""], [b"f", b"g"]]
    assert k.shape == () and int(k) == 7


def test_a_history_of_unequal_columns_runs_alone() -> None:
    """Padded in front, its events would belong to other items."""
    odd = request("a", ["x", "y", "z"], [], 3)
    odd[2] = odd[2][:, :1]

    assert batching.batch_key(page_plan(), odd) == (0, None)
    assert batching.batch_key(page_plan(), request("a", ["x"], ["e"] * 3, 3))[0] == 1


def test_searches_share_a_batch_whatever_their_words_and_histories() -> None:
    inputs = {features.QUERY: Spec((None,)), HISTORY: Spec((None, None))}
    plan = batching.plan(inputs, {"item_ids": Spec((None, None))})
    short = [np.array([b"jug"], object), np.array([[b"x"]], object)]
    words = "a long query, 保温杯".encode()
    long = [np.array([words], object), np.array([[b"y", b"z"]], object)]

    assert batching.batch_key(plan, short) == batching.batch_key(plan, long)
    queries, history = batching.join(plan, [short, long])
    assert queries.tolist() == [b"jug", words]
    assert history.tolist() == [[b"", b"x"], [b"y", b"z"]]


def test_each_request_gets_its_own_rows_and_its_own_k() -> None:
    plan = page_plan()
    requests = [request("a", ["x"], [""], 1), request("b", ["x"], [""], 3)]
    batch = [np.array([[10, 11, 12], [20, 21, 22]])]

    answers = batching.split(plan, requests, [1, 1], batch)

    assert answers is not None
    assert answers[0][0].tolist() == [[10]]
    assert answers[1][0].tolist() == [[20, 21, 22]]


def test_a_request_for_nothing_gets_nothing_beside_others() -> None:
    plan = page_plan()
    requests = [request("u", ["x"], [""], k) for k in (0, -1, 2)]
    batch = [np.array([[10, 11], [20, 21], [30, 31]])]

    answers = batching.split(plan, requests, [1, 1, 1], batch)

    assert answers is not None
    assert [answer[0].tolist() for answer in answers] == [[[]], [[]], [[30, 31]]]


def test_candidates_give_the_width_of_rank_outputs() -> None:
    inputs = {signatures.CANDIDATE_ITEM_IDS: Spec((None, None))}
    plan = batching.plan(inputs, {"score": Spec((None, None))})
    narrow = [np.array([[b"x"]], object)]
    wide = [np.array([[b"x", b"y"]], object)]

    (joined,) = batching.join(plan, [narrow, wide])
    answers = batching.split(plan, [narrow, wide], [1, 1], [np.array([[1, 9], [2, 3]])])

    assert joined.tolist() == [[b"x", b""], [b"x", b"y"]]
    assert answers is not None
    assert [a[0].tolist() for a in answers] == [[[1]], [[2, 3]]]


def test_very_long_histories_do_not_share_a_batch_with_short_ones() -> None:
    plan = page_plan()
    keys = {
        n: batching.batch_key(plan, request("a", ["x"] * n, [""], 1))[1]
        for n in (1, 40, 64, 65, 100, 1000)
    }

    assert keys[1] == keys[40] == keys[64]
    assert keys[65] == keys[100]
    assert len({keys[1], keys[65], keys[1000]}) == 3


def test_a_width_that_has_no_padding_rule_must_be_equal() -> None:
    plan = batching.plan({"x": Spec((None, None))}, {"y": Spec((None,))})

    assert batching.batch_key(plan, [np.zeros((1, 2))]) != batching.batch_key(
        plan, [np.zeros((1, 3))]
    )


def test_other_scalars_are_equal_within_a_batch() -> None:
    inputs = {"x": Spec((None,)), "temperature": Spec(())}
    plan = batching.plan(inputs, {"y": Spec((None,))})
    warm = [np.zeros(1), np.array(1.0)]
    cold = [np.zeros(1), np.array(0.5)]

    assert batching.batch_key(plan, warm) != batching.batch_key(plan, cold)
    assert batching.batch_key(plan, warm) == batching.batch_key(plan, list(warm))


def test_fixed_batch_sizes_and_unequal_rows_run_alone() -> None:
    fixed = batching.plan({"x": Spec((1,))}, {"y": Spec((1,))})
    outputs = {"scores": Spec((None, None)), "y": Spec(())}
    scalar_output = batching.plan({"x": Spec((None,))}, outputs)
    plan = page_plan()
    uneven = request("a", ["x"], [""], 1)
    uneven[0] = np.array([b"a", b"b"], object)

    assert batching.batch_key(fixed, [np.zeros(1)])[0] == 0
    assert batching.batch_key(scalar_output, [np.zeros(1)])[0] == 0
    assert batching.batch_key(plan, uneven)[0] == 0


def test_outputs_without_the_batch_axis_are_refused() -> None:
    plan = batching.plan({"x": Spec((None,))}, {"y": Spec((None,))})

    one = [np.zeros(1)]
    assert batching.split(plan, [one, one], [1, 1], [np.zeros(1)]) is None
