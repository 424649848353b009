"""Kubeflow Pipelines' v2beta1 API on loopback, as far as `souk submit` goes."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeKfp:
    """Keeps every request; a pipeline that was uploaded is there afterwards.

    As in a multi-user installation, a name is unique in its namespace, and a list holds
    the pipelines of the namespace it asks for: without one, those shared by all.
    """

    def __init__(self, token: str | None = None) -> None:
        self.requests: list[tuple[str, str, Any]] = []  # method, path, body
        self.pipelines: dict[str, int] = {}  # versions by [NAMESPACE.]NAME
        self.token = token
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.answer(self, "GET")

            def do_POST(self) -> None:
                fake.answer(self, "POST")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def of(self, method: str, path: str) -> list[Any]:
        """Bodies of the requests to a path."""
        return [body for m, p, body in self.requests if (m, p) == (method, path)]

    def answer(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        url = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        kind = handler.headers.get("Content-Type", "")
        body: Any = raw.decode("utf-8", "replace")
        if kind.startswith("application/json") and raw:
            body = json.loads(raw)
        self.requests.append((method, url.path, body))
        if self.token and handler.headers.get("Authorization") != (
            f"Bearer {self.token}"
        ):
            self._send(handler, 401, {"error": "login first"})
            return
        found = self._found(method, url.path, parse_qs(url.query))
        self._send(handler, 200 if found is not None else 404, found or {})

    def _found(self, method: str, path: str, query: dict[str, list[str]]) -> Any:
        api = "/apis/v2beta1"
        if path in ("/", f"{api}/healthz"):
            return {"multi_user": False}
        if (method, path) == ("GET", f"{api}/pipelines"):
            name = json.loads(query["filter"][0])["predicates"][0]["stringValue"]
            full = ".".join((*query.get("namespace", ()), name))
            if full not in self.pipelines:
                return {"total_size": 0}
            return {"pipelines": [{"pipeline_id": f"id-{full}"}]}
        if (method, path) == ("POST", f"{api}/pipelines/upload"):
            (name,) = query["name"]
            full = ".".join((*query.get("namespace", ()), name))
            if full in self.pipelines:
                return None
            self.pipelines[full] = 1
            return {"pipeline_id": f"id-{full}", "display_name": name}
        if (method, path) == ("POST", f"{api}/pipelines/upload_version"):
            (pipeline_id,) = query["pipelineid"]
            name = pipeline_id.removeprefix("id-")
            self.pipelines[name] += 1
            return {
                "pipeline_id": pipeline_id,
                "pipeline_version_id": f"v{self.pipelines[name]}",
            }
        if match := re.fullmatch(rf"{api}/pipelines/id-(.*)/versions", path):
            newest = self.pipelines[match[1]]
            versions = [{"pipeline_version_id": f"v{newest}"}]
            return {"pipeline_versions": versions}
        if path == f"{api}/experiments":
            return {"experiment_id": "e1"} if method == "POST" else {"total_size": 0}
        if (method, path) == ("POST", f"{api}/runs"):
            return {"run_id": "r1"}
        return None

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, code: int, body: Any) -> None:
        data = json.dumps(body).encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def __enter__(self) -> FakeKfp:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
