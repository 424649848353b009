"""The client against a running server, over both protocols."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from core.errors import (
    ConfigError,
    InvalidRequestError,
    ModelUnavailableError,
)
from serving.client import Filters, HistoryEvent, SoukClient
from serving.testing import FakeSoukClient
from tests.serving.running import RunningServer


@pytest.fixture(scope="module", params=["grpc", "rest"])
def client(request: Any, running: RunningServer) -> Iterator[SoukClient]:
    target = running.grpc_target if request.param == "grpc" else running.rest_url
    with SoukClient(target, request.param) as client:
        yield client


@pytest.fixture(params=["grpc", "rest", "fake"])
def any_client(request: Any, running: RunningServer) -> Iterator[SoukClient]:
    """The fake refuses what the client does."""
    if request.param == "fake":
        yield FakeSoukClient(item_ids=["lamp", "vase"], context_features=["country"])
        return
    target = running.grpc_target if request.param == "grpc" else running.rest_url
    with SoukClient(target, request.param) as client:
        yield client


def test_everything_may_be_left_out(client: SoukClient) -> None:
    page = client.recommend()

    assert len(page) == 10
    assert page.scores == sorted(page.scores, reverse=True)
    assert set(page.reasons) == {"similar"}


def test_filters_and_history_reach_the_model(client: SoukClient) -> None:
    history = [HistoryEvent("item-00003", "view", 5), ("item-00004", "purchase", 6)]
    free = client.recommend(history=history, context={"country": "FR"}, k=20)
    filtered = client.recommend(
        history=history,
        filters=Filters(
            exclude_item_ids=free.item_ids[:2],
            categories=["category-3"],
            price_max=100,
            in_stock_only=True,
        ),
        k=20,
    )

    # the small model: item i is of category i % 10, costs i + 1, is out if i % 7 == 0
    expected = {i for i in range(3, 100, 10) if i % 7}
    expected -= {int(item[5:]) for item in free.item_ids[:2]}
    assert {int(item[5:]) for item in filtered.item_ids} == expected
    assert len(filtered.scores) == len(filtered.reasons) == len(expected)


def test_search_finds_items_by_words_and_narrows_them(client: SoukClient) -> None:
    page = client.search("Red LAMP", k=30)
    narrow = client.search("red lamp", filters=Filters(price_max=50), k=100)

    # item i has colour i % 4 (0: red), is thing i % 3 (0: lamp) and costs i + 1:
    # those with both words stand before those with one
    both = {i for i in range(200) if i % 12 == 0}
    numbers = [int(item[5:]) for item in page.item_ids]
    assert set(numbers[: len(both)]) == both
    assert all(i % 4 == 0 or i % 3 == 0 for i in numbers)
    assert page.scores == sorted(page.scores, reverse=True)
    assert set(page.reasons) == {"matches your words"}
    assert {int(item[5:]) for item in narrow.item_ids} == {
        i for i in range(50) if i % 4 == 0 or i % 3 == 0
    }


def test_search_knows_the_person(client: SoukClient) -> None:
    history = [("item-00003", "purchase", 5)]
    mine = client.search("vase", user_id="anna", history=history, k=100)
    other = client.search("vase", user_id="ben", k=100)

    assert sorted(mine.item_ids) == sorted(other.item_ids)
    assert mine.item_ids != other.item_ids


@pytest.mark.parametrize("query", ["", "  ", "teapot", "保温杯"])
def test_a_query_that_nothing_answers_gives_an_empty_page(
    client: SoukClient, query: str
) -> None:
    assert len(client.search(query, user_id="anna")) == 0


def test_similar_and_rank(client: SoukClient) -> None:
    assert len(client.similar("item-00005", k=4)) == 4

    ranked = client.rank(["item-00001", "item-00002", "absent"], user_id="anna")

    assert set(ranked) == {"score", "p_purchase"}
    assert len(ranked["score"]) == 3


def test_requests_that_do_not_fit_are_refused(any_client: SoukClient) -> None:
    with pytest.raises(InvalidRequestError, match="no signature `absent`"):
        any_client.predict("absent", {})
    with pytest.raises(InvalidRequestError, match="must be text"):
        any_client.search("\ud800")  # half of a surrogate pair
    with pytest.raises(InvalidRequestError, match="no input weather"):
        any_client.recommend(context={"weather": "rain"})
    with pytest.raises(InvalidRequestError, match="between 1 and 100"):
        any_client.recommend(k=0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"user_id": 17850}, "user_id"),
        ({"history": [(12, "view", 5)]}, "history_item_ids"),
        ({"history": [("item-00001", "view", None)]}, "history_timestamps"),
        ({"history": ["item-00001"]}, "history"),
        ({"history": [("item-00001", "view", 1.9)]}, "history_timestamps"),
        ({"history": 5}, "history"),
        ({"context": {"country": 5}}, "country"),
        ({"context": "FR"}, "context"),
        ({"timestamp": 2**63}, "timestamp"),
        ({"timestamp": 2**64}, "timestamp"),
        ({"timestamp": 1.9}, "timestamp"),
        ({"timestamp": "100"}, "timestamp"),
        ({"timestamp": np.datetime64("2025-06-01")}, "timestamp"),
        ({"k": 3.9}, "k"),
        ({"k": "3"}, "k"),
        ({"k": None}, "k"),
        ({"k": 101}, "k"),
        ({"filters": Filters(in_stock_only="false")}, "in_stock_only"),  # type: ignore[arg-type]
        ({"filters": Filters(in_stock_only=2)}, "in_stock_only"),  # type: ignore[arg-type]
        ({"filters": Filters(price_max="20")}, "price_max"),  # type: ignore[arg-type]
        ({"filters": {"price_max": 20}}, "filters"),
        ({"filters": {}}, "filters"),
        ({"filters": Filters(categories=[3])}, "categories"),  # type: ignore[list-item]
    ],
)
def test_values_of_another_type_are_named(
    any_client: SoukClient, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{named}`"):
        any_client.recommend(**arguments)


@pytest.mark.parametrize("value", [None, 208, ["item-00001"], b"\xff"])
def test_what_must_be_one_text_is_named(any_client: SoukClient, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="`query` must be text"):
        any_client.search(value)
    with pytest.raises(InvalidRequestError, match="`item_id` must be text"):
        any_client.similar(value)


@pytest.mark.parametrize("value", ["item-00001", b"item-00001", None, 5])
def test_candidates_must_be_a_list(any_client: SoukClient, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="`candidate_item_ids` must be a"):
        any_client.rank(value)


def test_candidates_may_come_from_a_generator(client: SoukClient) -> None:
    ids = ["item-00001", "item-00002"]
    assert client.rank(iter(ids), timestamp=100) == client.rank(ids, timestamp=100)


def test_numbers_of_numpy_and_decimals_are_taken(client: SoukClient) -> None:
    plain = Filters(price_max=50, in_stock_only=True)
    same = Filters(price_max=Decimal(50), in_stock_only=np.bool_(True))  # type: ignore[arg-type]
    history = [("item-00003", "view", np.int64(5))]
    want = client.recommend(
        history=[("item-00003", "view", 5)], timestamp=100, filters=plain, k=3
    )
    for time in (np.int32(100), np.float64(100.0)):
        found = client.recommend(
            history=history,
            timestamp=time,  # type: ignore[arg-type]
            filters=same,
            k=np.int64(3),  # type: ignore[arg-type]
        )
        assert found == want
    assert len(want) == 3


def test_a_query_may_be_bytes(client: SoukClient) -> None:
    found = client.search(b"red lamp", k=5, timestamp=100)  # type: ignore[arg-type]
    assert found == client.search("red lamp", k=5, timestamp=100)


@pytest.mark.parametrize("name", ["exclude_item_ids", "categories"])
@pytest.mark.parametrize("value", ["item-00001", b"item-00001", 5, None])
def test_a_filter_that_is_no_list_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{name}` must be a list"):
        Filters(**{name: value})


def test_filters_can_be_read_again() -> None:
    filters = Filters(exclude_item_ids=iter(["a", "b"]), categories=iter(["c"]))  # type: ignore[arg-type]
    for _ in range(2):
        assert list(filters.exclude_item_ids) == ["a", "b"]
        assert list(filters.categories) == ["c"]


def test_ids_may_come_as_a_set_or_an_array(client: SoukClient) -> None:
    free = client.recommend(k=20).item_ids
    for some in (set(free[:2]), np.array(free[:2]), iter(free[:2])):
        filters = Filters(exclude_item_ids=some)  # type: ignore[arg-type]
        assert client.recommend(filters=filters, k=18).item_ids == free[2:]


def test_a_category_may_be_written_otherwise_than_the_catalogue_has_it(
    client: SoukClient,
) -> None:
    filters = Filters(categories=["  ｃategory-3 > "])
    found = client.recommend(filters=filters, k=100).item_ids
    assert found and all(int(item[5:]) % 10 == 3 for item in found)


def test_both_protocols_take_bytes_and_what_is_no_number(client: SoukClient) -> None:
    example = tf.train.Example()
    example.features.feature["timestamp"].int64_list.value.append(1_700_000_000)
    example.features.feature["item_id"].bytes_list.value.append(b"item-00001")
    found = client.predict("serving_default", {"examples": example.SerializeToString()})
    assert {name: value.tolist() for name, value in found.items()} == {"score": [[2]]}
    assert len(client.recommend(filters=Filters(price_max=float("inf")))) == 10


def test_an_answer_may_be_as_large_as_a_request(client: SoukClient) -> None:
    ranked = client.rank(["item-00001"] * 600_000)
    assert len(ranked["score"]) == 600_000


def test_a_server_that_is_not_there_is_unavailable() -> None:
    for protocol in ("grpc", "rest"):
        client = SoukClient("127.0.0.1:9", protocol, timeout_s=2)  # type: ignore[arg-type]
        with client, pytest.raises(ModelUnavailableError):
            client.recommend()
    with pytest.raises(ConfigError):
        SoukClient("127.0.0.1:9", "carrier pigeon")  # type: ignore[arg-type]


def test_a_model_that_is_not_there_is_unavailable(running: RunningServer) -> None:
    client = SoukClient(running.rest_url, "rest", model_name="absent")
    with client, pytest.raises(ModelUnavailableError, match="absent"):
        client.recommend()
