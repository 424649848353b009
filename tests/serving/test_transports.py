"""What a client makes of answers that are not the model server's."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import InvalidRequestError, ModelUnavailableError, ServingError
from serving.client import SoukClient
from serving.transports import RestTransport


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, b"<html>Service Unavailable</html>", ModelUnavailableError),
        (502, b'{"message": "bad gateway"}', ModelUnavailableError),
        (504, b"", ModelUnavailableError),
        (429, b"slow down", ModelUnavailableError),
        (503, b"[]", ModelUnavailableError),
        (400, b'{"error": "no"}', InvalidRequestError),
        (200, b"hello", ServingError),
        (200, b"{}", ServingError),
        (200, b'{"status": "healthy"}', ServingError),
        (200, b'{"metadata": null}', ServingError),
        (200, b'{"metadata": {"signature_def": {"signature_def": []}}}', ServingError),
    ],
)
def test_a_load_balancers_own_page_is_told_by_its_status(
    status: int, body: bytes, kind: type[Exception]
) -> None:
    with _server(status, body) as target:
        client = SoukClient(target, "rest", timeout_s=5)
        with client, pytest.raises(kind) as refused:
            client.recommend()
    assert refused.type is kind


def test_an_answer_without_outputs_is_shown_with_what_to_check() -> None:
    with _server(200, b'{"status": "healthy"}') as target:
        transport = RestTransport(target, "souk", timeout_s=5)
        with pytest.raises(ServingError, match=f"outputs.*healthy.*Check.*{target}"):
            transport.predict("recommend", {})
        transport.close()


@contextlib.contextmanager
def _server(status: int, body: bytes) -> Iterator[str]:
    """Address of a server that answers everything alike."""

    class Balancer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Balancer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
