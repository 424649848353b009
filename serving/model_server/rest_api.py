"""TensorFlow Serving's REST API: from method, path and body to an answer."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any

import orjson
from tensorflow.core.framework import types_pb2

from serving.model_server import examples, json_examples, json_tensors
from serving.model_server import metrics as metrics_page
from serving.model_server.metrics import Metrics
from serving.model_server.model import State
from serving.model_server.predictor import Outputs, Predictor
from serving.model_server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
)
from serving.model_server.versions import is_version

JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"

Reply = Callable[[int, bytes, bytes], None]  # HTTP status, content type, body

_PATH = re.compile(
    r"/v1/models(?:/(?P<name>[^/:]+))?"
    r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
    r"(?::(?P<method>predict|classify|regress)|/(?P<metadata>metadata))?"
)


@dataclasses.dataclass(frozen=True)
class Target:
    """What a path names."""

    name: str
    version: int | None
    label: str
    method: str
    metadata: bool


class RestApi:
    """Answers requests through a callback: no coroutine, no task per request."""

    def __init__(self, predictor: Predictor, metrics: Metrics) -> None:
        self._predictor = predictor
        self._manager = predictor.manager
        self._metrics = metrics
        self._targets: dict[str, Target] = {}  # parsed paths; clients repeat them

    def handle(self, method: str, path: str, body: bytes, reply: Reply) -> None:
        """Calls `reply` once, now or when the model has answered."""
        try:
            self._dispatch(method, path, body, reply)
        except Exception as error:
            _fail(from_exception(error), reply)

    def _dispatch(self, method: str, path: str, body: bytes, reply: Reply) -> None:
        path = path.partition("?")[0]
        if path == metrics_page.PATH and method == "GET":
            reply(200, TEXT, self._metrics.text())
            return
        target = self._target(method, path)
        if method == "POST" and target.method:
            self._infer(target, body, reply)
        elif method == "GET" and not target.method:
            if not target.name:
                raise invalid_argument("Missing model name in request.")
            page = self._metadata(target) if target.metadata else self._status(target)
            reply(200, JSON, page)
        else:
            raise invalid_argument(f"Malformed request: {method} {path}")

    def _target(self, method: str, path: str) -> Target:
        target = self._targets.get(path)
        if target is not None:
            return target
        match = _PATH.fullmatch(path)
        if match is None:
            raise invalid_argument(f"Malformed request: {method} {path}")
        number = match["version"]
        if number and not is_version(number):
            raise invalid_argument(f"Failed to convert version: {number[:40]}")
        target = Target(
            name=match["name"] or "",
            version=int(number) if number else None,
            label=match["label"] or "",
            method=match["method"] or "",
            metadata=match["metadata"] is not None,
        )
        if len(self._targets) < 1000:
            self._targets[path] = target
        return target

    def _infer(self, target: Target, body: bytes, reply: Reply) -> None:
        started = time.perf_counter()

        def finish(http_status: int, page: bytes, status: str) -> None:
            reply(http_status, JSON, page)
            self._metrics.request(
                model=target.name,
                api=target.method.capitalize(),
                entrypoint="REST",
                status=status,
                seconds=time.perf_counter() - started,
            )

        def fail(error: StatusError) -> None:
            finish(error.http_status, _error_body(error), error.code.name)

        try:
            self._start(target, body, finish, fail)
        except Exception as error:
            fail(from_exception(error))

    def _start(
        self,
        target: Target,
        body: bytes,
        finish: Callable[[int, bytes, str], None],
        fail: Callable[[StatusError], None],
    ) -> None:
        document = json_tensors.parse(body)
        name = json_tensors.signature_name(document)
        loaded = self._manager.acquire(
            target.name, version=target.version, label=target.label
        )
        try:
            try:
                signature = loaded.signature(name)
            except StatusError as error:  # another code than over gRPC, as it is there
                name = name or "serving_default"
                text = f'Serving signature name: "{name}" not found in signature def'
                raise invalid_argument(text) from error
            if target.method == "predict":
                feeds, rows = json_tensors.feeds(document, signature)
            else:
                kind = (
                    examples.CLASSIFY
                    if target.method == "classify"
                    else examples.REGRESS
                )
                examples.require_method(signature, kind)
                feeds, rows = [json_examples.serialized(document)], True
        except BaseException:
            self._manager.release(loaded)
            raise
        count = feeds[0].shape[0] if feeds and feeds[0].ndim else 0

        def answer(outputs: Outputs | None, error: StatusError | None) -> None:
            try:
                if outputs is None:
                    fail(error or StatusError(Code.INTERNAL, "No answer."))
                elif target.method == "predict":
                    finish(200, json_tensors.answer(outputs, rows=rows), "OK")
                else:
                    page = json_examples.answer(target.method, outputs, count)
                    finish(200, page, "OK")
            except Exception as problem:
                fail(from_exception(problem))

        self._predictor.submit(loaded, signature, feeds, answer)

    def _status(self, target: Target) -> bytes:
        found = self._manager.status(
            target.name, version=target.version, label=target.label
        )
        entries = [
            {
                "version": str(version),
                "state": State(status.state).name,
                "status": {
                    "error_code": status.code.name,
                    "error_message": status.message,
                },
            }
            for version, status in found
        ]
        return orjson.dumps(
            {"model_version_status": entries}, option=orjson.OPT_INDENT_2
        )

    def _metadata(self, target: Target) -> bytes:
        loaded = self._manager.acquire(
            target.name, version=target.version, label=target.label
        )
        try:
            signatures = {
                name: _plain_signature(each)
                for name, each in loaded.definitions.items()
            }
        finally:
            self._manager.release(loaded)
        spec = {
            "name": loaded.name,
            "signature_name": "",
            "version": str(loaded.version),
        }
        page = {
            "model_spec": spec,
            "metadata": {"signature_def": {"signature_def": signatures}},
        }
        return orjson.dumps(page, option=orjson.OPT_INDENT_2)


def _plain_signature(definition: Any) -> dict[str, Any]:
    def tensors(infos: Any) -> dict[str, Any]:
        return {alias: _plain_tensor(info) for alias, info in infos.items()}

    return {
        "inputs": tensors(definition.inputs),
        "outputs": tensors(definition.outputs),
        "method_name": definition.method_name,
    }


def _plain_tensor(info: Any) -> dict[str, Any]:
    shape = info.tensor_shape
    return {
        "dtype": types_pb2.DataType.Name(info.dtype),
        "tensor_shape": {
            "dim": [{"size": str(d.size), "name": d.name} for d in shape.dim],
            "unknown_rank": shape.unknown_rank,
        },
        "name": info.name,
    }


def _error_body(error: StatusError) -> bytes:
    return orjson.dumps({"error": error.message}, option=orjson.OPT_INDENT_2)


def _fail(error: StatusError, reply: Reply) -> None:
    reply(error.http_status, JSON, _error_body(error))
