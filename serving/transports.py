"""How a client reaches the server: gRPC or REST, both as dictionaries of arrays."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import math
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import orjson

from core.errors import InvalidRequestError, ModelUnavailableError, ServingError

# Of requests and answers alike.
MAX_MESSAGE_BYTES = 64 << 20
# Statuses after which the same call may succeed: not found (yet), full, not up.
_RETRIABLE = {"NOT_FOUND", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"}
_CALLERS_FAULT = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
_BY_HTTP_STATUS = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """Type ("DT_STRING", ...) and number of axes of a signature's input."""

    dtype: str
    rank: int


Specs = dict[str, InputSpec]
Outputs = dict[str, np.ndarray]


class Transport(Protocol):
    """What `SoukClient` needs of a protocol."""

    def specs(self) -> dict[str, Specs]:
        """Inputs of every signature of the version in service."""

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Outputs:
        """Outputs of one request; strings are `str`."""

    def close(self) -> None: ...


def error_of(status: str, message: str) -> ServingError:
    """The exception for a server's status."""
    if status in _RETRIABLE:
        return ModelUnavailableError(f"{status}: {message}")
    if status in _CALLERS_FAULT:
        return InvalidRequestError(f"{status}: {message}")
    return ServingError(f"{status}: {message}")


class GrpcTransport:
    """PredictionService over one channel; safe for threads."""

    def __init__(self, target: str, model_name: str, timeout_s: float) -> None:
        # These import TensorFlow: a REST client should not have to.
        import grpc
        from tensorflow_serving.apis import (
            get_model_metadata_pb2,
            predict_pb2,
            prediction_service_pb2_grpc,
        )

        from serving.model_server import tensor_codec

        self._codec = tensor_codec
        self._rpc_error = grpc.RpcError
        self._predict_pb2 = predict_pb2
        self._metadata_pb2 = get_model_metadata_pb2
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self._channel = grpc.insecure_channel(target, options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model_name = model_name
        self._timeout_s = timeout_s

    def specs(self) -> dict[str, Specs]:
        request = self._metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = self._model_name
        request.metadata_field.append("signature_def")
        response = self._call(self._stub.GetModelMetadata, request)
        signatures = self._metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return {
            name: {
                alias: InputSpec(_dtype_name(info), len(info.tensor_shape.dim))
                for alias, info in definition.inputs.items()
            }
            for name, definition in signatures.signature_def.items()
        }

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Outputs:
        request = self._predict_pb2.PredictRequest()
        request.model_spec.name = self._model_name
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            self._codec.encode(value, request.inputs[name])
        response = self._call(self._stub.Predict, request)
        decoded = {k: self._codec.decode(v) for k, v in response.outputs.items()}
        return {name: _as_text(value) for name, value in decoded.items()}

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout_s)
        except self._rpc_error as error:
            raise error_of(error.code().name, error.details()) from error

    def close(self) -> None:
        self._channel.close()


class RestTransport:
    """The REST API over one kept connection per thread; needs no TensorFlow."""

    def __init__(self, target: str, model_name: str, timeout_s: float) -> None:
        url = urllib.parse.urlsplit(target if "//" in target else f"//{target}")
        self._host = url.netloc
        self._tls = url.scheme == "https"
        self._path = f"{url.path.rstrip('/')}/v1/models/{model_name}"
        self._timeout_s = timeout_s
        self._local = threading.local()
        self._outputs: dict[str, list[str]] = {}  # of each signature, once it is known

    def specs(self) -> dict[str, Specs]:
        page = self._call("GET", f"{self._path}/metadata", None)
        try:
            definitions = page["metadata"]["signature_def"]["signature_def"]
            self._outputs = {
                name: list(definition.get("outputs", ()))
                for name, definition in definitions.items()
            }
            return {
                name: {
                    alias: InputSpec(info["dtype"], len(info["tensor_shape"]["dim"]))
                    for alias, info in definition["inputs"].items()
                }
                for name, definition in definitions.items()
                if definition.get("method_name")
            }
        except (AttributeError, KeyError, TypeError) as error:
            raise self._no_answer_of("metadata", page) from error

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Outputs:
        columns = {name: _json_able(value) for name, value in inputs.items()}
        body = {"signature_name": signature, "inputs": columns}
        outputs = self._call("POST", f"{self._path}:predict", _dumped(body))
        found = outputs.get("outputs")
        if found is None:
            raise self._no_answer_of("outputs", outputs)
        if not isinstance(found, dict):  # a single output comes without its name
            return {self._lone_output(signature): np.asarray(found)}
        return {name: np.asarray(value) for name, value in found.items()}

    def _no_answer_of(self, wanted: str, page: dict[str, Any]) -> ServingError:
        return ServingError(
            f"The server must answer with a model's {wanted}, as TensorFlow Serving's "
            f"REST API does. Received: {str(page)[:200]}. Check that {self._host} is "
            "the REST address of a model server."
        )

    def _lone_output(self, signature: str) -> str:
        if signature not in self._outputs:
            self.specs()
        return next(iter(self._outputs.get(signature, [])), "")

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        for attempt in (0, 1):
            connection, fresh = self._connection()
            try:
                connection.request(method, path, body)
                response = connection.getresponse()
                payload = response.read()
                break
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # A kept connection may have been closed since: once more, on a new one.
                # A server that is late would be later still.
                if fresh or attempt or isinstance(error, TimeoutError):
                    raise ModelUnavailableError(
                        f"No answer from {self._host}: {error!r}"
                    ) from error
        # Who answers may be a load balancer, with a page of its own.
        try:
            page = orjson.loads(payload)
        except orjson.JSONDecodeError:
            page = None
        if response.status != 200:
            status = _BY_HTTP_STATUS.get(response.status, f"HTTP {response.status}")
            said = page.get("error", page) if isinstance(page, dict) else payload[:200]
            raise error_of(status, str(said))
        if not isinstance(page, dict):
            raise ServingError(f"Not an object of JSON: {payload[:200]!r}")
        return page

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            return kept, False
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        self._local.connection = kind(self._host, timeout=self._timeout_s)
        return self._local.connection, True

    def close(self) -> None:
        """Closes this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def _dtype_name(info: Any) -> str:
    from tensorflow.core.framework import types_pb2

    name: str = types_pb2.DataType.Name(info.dtype)
    return name


def _as_text(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "O":
        return array
    flat = [value.decode("utf-8", "replace") for value in array.ravel().tolist()]
    return np.array(flat, dtype=object).reshape(array.shape)


def _json_able(array: np.ndarray) -> Any:
    if array.dtype.kind != "O":
        return array.tolist()
    flat = [_text_or_bytes(value) for value in array.ravel().tolist()]
    shaped = np.empty(len(flat), object)
    shaped[:] = flat
    return shaped.reshape(array.shape).tolist()


def _text_or_bytes(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def _dumped(body: dict[str, Any]) -> bytes:
    """JSON, with TensorFlow Serving's Infinity and NaN where there are some."""
    if all(_is_finite(value) for value in body["inputs"].values()):
        return orjson.dumps(body)
    return json.dumps(body).encode()


def _is_finite(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
