"""Gates on the bundle as a thing to serve: it loads, answers, is small and fast."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from components.gates.verdict import Verdict, digits_apart, skipped
from core import signatures
from core.config.gates import GatesConfig
from core.disk import bytes_below
from core.errors import ServingError
from core.progress import counted, megabytes
from serving.embedded import EmbeddedServer

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_LOADS = "answers its warm-up requests in the model server"
_LATENCY = "is fast enough"
_REPEATS = 20


def check_serving(model_dir: Path, config: GatesConfig) -> list[Verdict]:
    """Verdicts on size, loading, answers and latency; starts a model server."""
    verdicts = [_size(model_dir, config)]
    if not config.check_serving:
        return [*verdicts, skipped(_LOADS, "Switched off in GatesConfig.")]
    requests = warmup_requests(model_dir)
    if not requests:
        message = f"The bundle must hold warm-up requests in {WARMUP_FILE}."
        return [*verdicts, Verdict(gate=_LOADS, passed=False, message=message)]
    try:
        latency_ms = serve_and_ask(model_dir, requests, config.serving_timeout_s)
    except (ServingError, grpc.RpcError) as error:
        message = _reason(error)
        return [*verdicts, Verdict(gate=_LOADS, passed=False, message=message)]
    message = f"{counted(len(requests), 'request')} answered."
    verdicts.append(Verdict(gate=_LOADS, passed=True, message=message))
    return [*verdicts, _latency(latency_ms, config)]


def warmup_requests(model_dir: Path) -> list[predict_pb2.PredictRequest]:
    """The predict requests that the bundle carries."""
    path = model_dir / WARMUP_FILE
    if not path.is_file():
        return []
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    return [log.predict_log.request for log in logs if log.HasField("predict_log")]


def serve_and_ask(
    model_dir: Path, requests: list[predict_pb2.PredictRequest], timeout_s: float
) -> float:
    """Median milliseconds of a single-row `recommend` (or `search`) over gRPC.

    The bundle is served by a model server of its own process, and every request asked.

    Raises:
      ServingError: the server does not start, or an answer is not finite.
      grpc.RpcError: a request fails.
    """
    with tempfile.TemporaryDirectory(prefix="souk-gate-") as folder:
        (Path(folder) / "1").symlink_to(model_dir.resolve(), target_is_directory=True)
        with (
            EmbeddedServer(folder, start_timeout_s=timeout_s) as server,
            grpc.insecure_channel(server.grpc_target) as channel,
        ):
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            for request in requests:
                _check_answer(request, stub.Predict(request, timeout=timeout_s))
            return _median_ms(stub, requests, timeout_s)


def _check_answer(
    request: predict_pb2.PredictRequest, response: predict_pb2.PredictResponse
) -> None:
    for name, tensor in response.outputs.items():
        values = tf.make_ndarray(tensor)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            signature = request.model_spec.signature_name
            raise ServingError(f"`{signature}` answered {name} that is not finite.")


def _median_ms(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    requests: list[predict_pb2.PredictRequest],
    timeout_s: float,
) -> float:
    # A bundle of a shop without events has no `recommend`.
    pages = [
        _single_page(requests, n) for n in (signatures.RECOMMEND, signatures.SEARCH)
    ]
    single = next((page for page in pages if page is not None), requests[0])
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        stub.Predict(single, timeout=timeout_s)
        seconds.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(seconds)


def _single_page(
    requests: list[predict_pb2.PredictRequest], signature: str
) -> predict_pb2.PredictRequest | None:
    """The first request of one row for a signature."""
    for request in requests:
        if request.model_spec.signature_name == signature:
            shape = request.inputs["timestamp"].tensor_shape
            if [d.size for d in shape.dim] == [1]:
                return request
    return None


def _size(model_dir: Path, config: GatesConfig) -> Verdict:
    size = bytes_below(model_dir) / 1e6
    bound = config.max_size_mb
    found = f"{megabytes(1e6 * size)}, no limit set."
    if bound is not None:
        digits = digits_apart(size, bound, 3)
        found = f"{size:.{digits}f} MB, at most {bound:g} MB (`gates.max_size_mb`)."
    return Verdict(
        gate="is small enough",
        passed=bound is None or size <= bound,
        value=size,
        bound=bound,
        skipped=bound is None,
        message=found,
    )


def _latency(latency_ms: float, config: GatesConfig) -> Verdict:
    bound = config.max_latency_ms
    found = f"median {latency_ms:.1f} ms per page over gRPC, no limit set."
    if bound is not None:
        limit = f"at most {bound:g} ms (`gates.max_latency_ms`)"
        digits = digits_apart(latency_ms, bound, 3)
        found = f"median {latency_ms:.{digits}f} ms per page over gRPC, {limit}."
    return Verdict(
        gate=_LATENCY,
        passed=bound is None or latency_ms <= bound,
        value=latency_ms,
        bound=bound,
        skipped=bound is None,
        message=found,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, grpc.Call):
        return f"{error.code().name}: {error.details()}"
    return str(error)
