"""Three servers on loopback, each with a third of the items."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from core.errors import (
    ConfigError,
    InvalidRequestError,
    ModelUnavailableError,
    ServingError,
)
from serving.client import Filters, Page, SoukClient
from serving.embedded import EmbeddedServer
from serving.sharded import ShardedClient, merge, shard_of
from serving.small_bundle import save_small_bundle, small_titles
from tests.serving.running import RunningServer

pytestmark = pytest.mark.slow  # servers are started

SHARDS = 3
ITEMS = 60


def shard_titles(shard: int) -> dict[str, str]:
    titles = small_titles(ITEMS)
    return {i: t for i, t in titles.items() if shard_of(i, SHARDS) == shard}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One folder of versions per shard."""
    folder = tmp_path_factory.mktemp("shards")
    bases = [folder / str(shard) for shard in range(SHARDS)]
    for shard, base in enumerate(bases):
        base.mkdir()
        save_small_bundle(base / "1", titles=shard_titles(shard))
    return bases


@pytest.fixture(scope="module")
def servers(models: list[Path]) -> Iterator[list[RunningServer]]:
    with (
        RunningServer(models[0]) as first,
        RunningServer(models[1]) as second,
        RunningServer(models[2]) as third,
    ):
        yield [first, second, third]


def test_the_page_is_the_best_of_all_shards(servers) -> None:
    pages = []
    for server in servers:
        with SoukClient(server.grpc_target) as client:
            pages.append(client.recommend(user_id="anna", k=10))
    every = sorted(
        (-score, item)
        for page in pages
        for score, item in zip(page.scores, page.item_ids, strict=True)
    )
    with ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client:
        page = client.recommend(user_id="anna", k=10)
    assert page.scores == pytest.approx([-score for score, _ in every[:10]])
    assert set(page.item_ids) == {item for _, item in every[:10]}
    assert not page.partial and page.missing_shards == ()
    assert len({shard_of(item, SHARDS) for item in page.item_ids}) > 1


def test_similar_asks_the_shard_that_holds_the_item(servers) -> None:
    item = "item-00007"
    with ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client:
        page = client.similar(item, k=5)
    home = shard_of(item, SHARDS)
    assert page.item_ids and {shard_of(i, SHARDS) for i in page.item_ids} == {home}


def test_every_shard_reads_the_history(servers) -> None:
    events = [(f"item-{n:05d}", "purchase", n) for n in range(1, 6)]
    with ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client:
        want = client.recommend(history=events, timestamp=100, k=10)
        found = client.recommend(history=iter(events), timestamp=100, k=10)
    assert (found.item_ids, found.scores) == (want.item_ids, want.scores)


def test_every_shard_reads_the_filters(servers) -> None:
    with ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client:
        free = client.recommend(user_id="anna", k=30).item_ids
        unwanted = free[:10]  # of all shards
        filters = Filters(exclude_item_ids=iter(unwanted))  # type: ignore[arg-type]
        found = client.recommend(user_id="anna", k=20, filters=filters)
    assert found.item_ids == free[10:]


def test_a_shard_that_hangs_costs_its_items_and_no_time(servers) -> None:
    """It takes connections and never answers; more callers than it has threads."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        targets = [servers[0].rest_url, address, servers[2].rest_url]
        with (
            ShardedClient(targets, protocol="rest", timeout_s=2.0) as client,
            concurrent.futures.ThreadPoolExecutor(40) as callers,
        ):
            began = time.monotonic()
            asked = [callers.submit(client.recommend, k=5) for _ in range(40)]
            pages = [each.result() for each in asked]
            took = time.monotonic() - began
    assert all(page.partial and 1 in page.missing_shards for page in pages)
    # One timeout; 40 callers in turns of 16, or of fewer, would wait for three.
    assert took < 4.0


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Address of an HTTP server that has one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextlib.contextmanager
def aborting(code: grpc.StatusCode) -> Iterator[str]:
    """Address of a gRPC server that ends every call with `code`."""

    class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
        def GetModelMetadata(self, request: Any, context: Any) -> Any:
            context.abort(code, "boom")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            Servicer(), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait(10)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"error": "boom"}'),
        (501, b""),
        (403, b"no"),
        (502, b"<html>bad gateway"),
        (200, b"<html>log in"),
    ],
)
def test_a_shard_that_fails_over_rest_costs_its_items(
    servers, status: int, body: bytes
) -> None:
    with (
        answering(status, body) as failing,
        ShardedClient(
            [servers[0].rest_url, failing], protocol="rest", timeout_s=10
        ) as client,
    ):
        page = client.recommend(user_id="anna", k=5)
    assert page.partial and page.missing_shards == (1,)
    assert len(page) == 5 and {shard_of(i, SHARDS) for i in page.item_ids} == {0}


@pytest.mark.parametrize("name", ["INTERNAL", "UNKNOWN", "CANCELLED", "UNAVAILABLE"])
def test_a_shard_that_fails_over_grpc_costs_its_items(servers, name: str) -> None:
    with (
        aborting(grpc.StatusCode[name]) as failing,
        ShardedClient([failing, servers[0].grpc_target], timeout_s=10) as client,
    ):
        page = client.search("red lamp", k=5)
    assert page.partial and page.missing_shards == (0,)
    assert page.item_ids and {shard_of(i, SHARDS) for i in page.item_ids} == {0}


def test_when_every_shard_fails_the_last_failure_is_told() -> None:
    with (
        answering(500, b'{"error": "first"}') as first,
        answering(500, b'{"error": "second"}') as second,
        ShardedClient([first, second], protocol="rest", timeout_s=10) as client,
        pytest.raises(ModelUnavailableError, match=r"None of 2.*second") as refused,
    ):
        client.recommend(k=5)
    assert type(refused.value.__cause__) is ServingError


def test_a_shards_refusal_is_no_missing_shard(servers) -> None:
    with (
        answering(400, b'{"error": "no"}') as refusing,
        ShardedClient(
            [servers[0].rest_url, refusing], protocol="rest", timeout_s=10
        ) as client,
        pytest.raises(InvalidRequestError, match="no"),
    ):
        client.recommend(k=5)


def test_a_bad_request_is_no_missing_shard(servers) -> None:
    with (
        ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client,
        pytest.raises(InvalidRequestError, match="between 1 and 100"),
    ):
        client.recommend(user_id="anna", k=101)


def test_a_shards_item_and_history_are_checked(servers) -> None:
    with ShardedClient([s.grpc_target for s in servers], timeout_s=10) as client:
        with pytest.raises(InvalidRequestError, match="`item_id` must be text"):
            client.similar(208)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match="`history` must be a list"):
            client.recommend(history=5)


def test_when_one_of_three_servers_dies_the_page_still_comes(models) -> None:
    servers = [EmbeddedServer(base) for base in models]
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(EmbeddedServer.start, servers))
        clients = [
            ShardedClient([s.grpc_target for s in servers], timeout_s=10),
            ShardedClient([s.rest_url for s in servers], protocol="rest", timeout_s=10),
        ]
        whole = [client.recommend(user_id="anna", k=30) for client in clients]
        assert not any(page.partial for page in whole)
        assert servers[1].process is not None
        servers[1].process.kill()
        servers[1].process.wait(10)
        for client, before in zip(clients, whole, strict=True):
            page = client.recommend(user_id="anna", k=30)
            assert page.partial and page.missing_shards == (1,)
            left = [i for i in before.item_ids if shard_of(i, SHARDS) != 1]
            assert page.item_ids[: len(left)] == left and len(page) == 30
        for server in servers:
            server.stop()
        for client in clients:
            with client, pytest.raises(ModelUnavailableError, match="None of 3 shards"):
                client.recommend(user_id="anna", k=30)
    finally:
        for server in servers:
            server.stop()


def test_pages_merge_by_score_and_an_item_counts_once() -> None:
    first = Page(["a", "b"], [0.9, 0.2], ["own", "cf"])
    second = Page(["c", "a"], [0.5, 0.4], ["popular", "cf"])
    assert merge([first, second], 3) == Page(
        ["a", "c", "b"], [0.9, 0.5, 0.2], ["own", "popular", "cf"]
    )
    assert merge([first, second], 1).item_ids == ["a"]
    with pytest.raises(InvalidRequestError, match="`k` must be"):
        merge([first], 0)


def test_shards_are_even_and_do_not_move() -> None:
    # CRC-32 of "123456789" is 0xCBF43926, the check value of its specification.
    assert shard_of("123456789", 1000) == 0xCBF43926 % 1000
    sizes = [len(shard_titles(shard)) for shard in range(SHARDS)]
    assert sum(sizes) == ITEMS and min(sizes) > ITEMS / SHARDS / 2
    with pytest.raises(ConfigError, match="one server per shard"):
        ShardedClient([])


def test_shards_that_hang_together_cost_one_timeout(monkeypatch):
    go = threading.Event()
    targets = [f"127.0.0.1:{port}" for port in (9, 10, 11)]
    with ShardedClient(targets, timeout_s=1.0) as client:
        for shard in client._clients:
            monkeypatch.setattr(shard, "recommend", lambda **kw: go.wait(20))
        began = time.monotonic()
        try:
            with pytest.raises(ModelUnavailableError, match="None of 3"):
                client.recommend(k=5)
            assert time.monotonic() - began < 2.0  # not three
        finally:
            go.set()
