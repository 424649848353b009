"""The fake client; test_client.py has the requests that it refuses as the real one."""

from __future__ import annotations

import inspect

import pytest

from core.errors import InvalidRequestError, ModelUnavailableError
from serving.client import Filters, SoukClient
from serving.testing import FakeSoukClient


def test_the_fake_answers_and_remembers() -> None:
    client = FakeSoukClient(item_ids=["lamp", "vase", "rug"])

    assert client.recommend(user_id="anna", k=2).item_ids == ["lamp", "vase"]
    assert client.similar("lamp").item_ids == ["vase", "rug"]
    assert client.search(" ").item_ids == []
    assert client.calls[-1].arguments == {"query": " "}
    hidden = Filters(exclude_item_ids=["lamp"])
    assert client.search("x", filters=hidden).item_ids == ["vase", "rug"]
    assert [call.method for call in client.calls][:2] == ["recommend", "similar"]
    assert client.calls[0].arguments == {"user_id": "anna", "k": 2}

    client.fail_next(ModelUnavailableError("down"))
    with pytest.raises(ModelUnavailableError):
        client.recommend()
    assert len(client.recommend()) == 3


def test_the_fake_fails_as_a_server_does_after_the_checks() -> None:
    client = FakeSoukClient(item_ids=["lamp"])
    client.fail_next(ModelUnavailableError("down"))
    with pytest.raises(InvalidRequestError, match="`k` must be"):
        client.recommend(k=101)
    with pytest.raises(ModelUnavailableError, match="down"):
        client.recommend()
    assert [call.arguments for call in client.calls] == [{"k": 101}, {}]


@pytest.mark.parametrize("query", ["", "!!!", "of the"])
def test_the_fake_finds_nothing_without_a_word(query: str) -> None:
    assert len(FakeSoukClient(item_ids=["lamp"]).search(query)) == 0


def test_the_fake_ranks_and_predicts() -> None:
    client = FakeSoukClient(item_ids=["lamp", "vase", "rug"])
    assert client.rank(iter(["rug", "lamp"])) == {"score": [1.0, 0.5]}
    found = client.predict("similar", {"item_id": "vase", "k": 5})
    assert found["item_ids"].tolist() == [["lamp", "rug"]]
    assert [call.method for call in client.calls] == ["rank", "predict"]


def test_the_fake_has_the_clients_methods_and_their_arguments() -> None:
    methods = [name for name in vars(SoukClient) if not name.startswith("_")]
    assert {"recommend", "similar", "search", "rank", "predict"} <= set(methods)
    for name in methods:
        fake, real = getattr(FakeSoukClient, name), getattr(SoukClient, name)
        assert inspect.signature(fake) == inspect.signature(real), name
    with pytest.raises(TypeError, match="usr"):
        FakeSoukClient(item_ids=[]).recommend(usr="anna")  # type: ignore[call-arg]
