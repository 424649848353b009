"""HTTP/1.1 as odd clients speak it, over plain sockets."""

from __future__ import annotations

import json
import socket

import pytest

from tests.serving.model_server.test_rest_api import MODEL, encoded
from tests.serving.running import RunningServer

pytestmark = pytest.mark.slow  # a server is started


def test_pipelined_requests_are_answered_in_order(running: RunningServer) -> None:
    slow = json.dumps({"instances": [encoded("item-00001")] * 50}).encode()
    head = f"POST {MODEL}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(slow)}"
    first = head.encode() + b"\r\n\r\n" + slow
    second = b"GET /v1/models/absent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    address = ("127.0.0.1", running.server.rest_api_port)

    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(first + second)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk

    assert received.index(b"200 OK") < received.index(b"404 Not Found")


def test_what_is_not_http_is_refused(running: RunningServer) -> None:
    address = ("127.0.0.1", running.server.rest_api_port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
        assert connection.recv(1000) == b""


def exchange(running: RunningServer, sent: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    address = ("127.0.0.1", running.server.rest_api_port)
    received = b""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(sent)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def posted(*headers: str) -> bytes:
    body = json.dumps({"instances": [encoded("item-00001")]}).encode()
    lines = [f"POST {MODEL}:predict HTTP/1.1", "Host: x", *headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


CLOSE = b"GET /v1/models/souk HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_an_offer_of_http2_is_not_taken(running: RunningServer) -> None:
    """As Java's HttpClient and `curl --http2` make it, with a body behind."""
    offer = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAA",
    )

    received = exchange(running, posted(*offer) + CLOSE)

    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"HTTP/1.1") == 2
    assert b"predictions" in received


def test_head_has_no_body(running: RunningServer) -> None:
    received = exchange(
        running, b"HEAD /v1/models/souk HTTP/1.1\r\nHost: x\r\n\r\n" + CLOSE
    )

    first, second = received.split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 400")
    assert second.startswith(b"HTTP/1.1 200 OK")


def test_what_is_broken_is_answered_after_what_is_not(running: RunningServer) -> None:
    received = exchange(running, posted() + b"\x16\x03\x01\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.count(b"HTTP/1.1") == 2
    assert b"400 Bad Request" in received
