"""HTTP/1.1 on an asyncio transport: keep-alive, pipelining, bounded bodies."""

from __future__ import annotations

import asyncio
import collections
import zlib
from typing import Any

import httptools

from serving.model_server.rest_api import JSON, RestApi

MAX_BODY_BYTES = 64 << 20
# What a client offers to speak instead of HTTP/1.1; a server may take no notice.
_UPGRADE_HEADERS = (b"upgrade", b"connection", b"http2-settings")
_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    409: b"Conflict",
    413: b"Payload Too Large",
    499: b"Client Closed Request",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}


class Exchange:
    """One request's answer, kept until those before it are sent."""

    __slots__ = ("data", "keep_alive")

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.data: bytes | None = None


class HttpProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, api: RestApi, connections: set[HttpProtocol]) -> None:
        self._api = api
        self._connections = connections
        self._transport: Any = None
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: collections.deque[Exchange] = collections.deque()
        self._body: list[bytes] = []
        self._size = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._gzip = False
        self._refused = False
        self._draining = False

    # asyncio's side

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400, b'{"error": "Malformed HTTP request"}')

    def drain(self) -> None:
        """Closes the connection once everything that waits is answered."""
        self._draining = True
        if not self._waiting and self._transport is not None:
            self._transport.close()

    # httptools' side

    def on_message_begin(self) -> None:
        self._body = []
        self._size = 0
        self._url = b""
        self._headers = []
        self._gzip = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        self._headers.append((lowered, value))
        if lowered == b"expect" and value.lower() == b"100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif lowered == b"content-encoding":
            self._gzip = value.lower() == b"gzip"

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            if not self._refused:
                self._refuse(413, b'{"error": "The request body is too large"}')
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._refused or self._parser.should_upgrade():
            return  # of an upgrade the body is still to come: `_stay`
        exchange = Exchange(self._parser.should_keep_alive())
        self._waiting.append(exchange)
        method = self._parser.get_method().decode("ascii", "replace")

        def reply(status: int, content_type: bytes, body: bytes) -> None:
            keep = exchange.keep_alive and not self._draining
            exchange.keep_alive = keep
            head = _head(status, content_type, len(body), keep)
            exchange.data = head if method == "HEAD" else head + body
            self._flush()

        body = b"".join(self._body)
        if self._gzip:
            unpacked = _gunzip(body)
            if unpacked is None:
                reply(400, JSON, b'{"error": "The body is not gzip, or too large"}')
                return
            body = unpacked
        self._api.handle(method, self._url.decode("utf-8", "replace"), body, reply)

    def _flush(self) -> None:
        """Sends the answers that are due, in the order of their requests."""
        while self._waiting and self._waiting[0].data is not None:
            exchange = self._waiting.popleft()
            self._write(exchange.data or b"")
            if not exchange.keep_alive and self._transport is not None:
                self._transport.close()
                self._waiting.clear()

    def _stay(self, rest: bytes) -> None:
        """Reads the request again as one that offers no other protocol."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(400, b'{"error": "CONNECT is not supported"}')
            return
        kept = [h for h in self._headers if h[0] not in _UPGRADE_HEADERS]
        lines = [b"%s %s HTTP/1.1" % (method, self._url)]
        lines += [b"%s: %s" % header for header in kept]
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _refuse(self, status: int, body: bytes) -> None:
        """The last answer, behind those that are due before it."""
        self._refused = True
        exchange = Exchange(keep_alive=False)
        exchange.data = _head(status, JSON, len(body), False) + body
        self._waiting.append(exchange)
        self._flush()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _head(status: int, content_type: bytes, length: int, keep_alive: bool) -> bytes:
    return b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
        status,
        _REASONS.get(status, b"Unknown"),
        content_type,
        length,
        b"" if keep_alive else b"Connection: close\r\n",
    )


def _gunzip(body: bytes) -> bytes | None:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail or not unpacker.eof else unpacked
