"""First calls are slow: they are made before a version goes into service."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.model_server import examples, tensor_codec
from serving.model_server.saved_model import LoadedModel, Signature, TensorSpec

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS = 1000  # TensorFlow Serving's limit

logger = logging.getLogger(__name__)


def warm(model: LoadedModel) -> int:
    """Replays the model's warm-up requests; without any, one neutral call a signature.

    Returns:
      How many requests were replayed.

    Raises:
      StatusError, tf.errors.OpError: a recorded request fails: the version is not fit.
    """
    path = model.path / WARMUP_FILE
    if not path.is_file():
        for signature in model.signatures.values():
            _try_neutral(signature)
        return 0
    count = 0
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        replay(model, prediction_log_pb2.PredictionLog.FromString(record))
        count += 1
        if count == MAX_RECORDS:
            break
    return count


def replay(model: LoadedModel, log: prediction_log_pb2.PredictionLog) -> None:
    """Runs one recorded request and drops its answer."""
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        signature = model.signature(request.model_spec.signature_name)
        values = {k: tensor_codec.decode(t) for k, t in request.inputs.items()}
        signature.run(signature.order(values))
    elif kind in ("classify_log", "regress_log"):
        request = getattr(log, kind).request
        signature = model.signature(request.model_spec.signature_name)
        signature.run([examples.serialized(request.input)])


def _try_neutral(signature: Signature) -> None:
    try:
        signature.run([_neutral(spec) for spec in signature.inputs.values()])
    except Exception as error:  # a guess at a request, so its failure says nothing
        logger.debug("No neutral call of %s: %s", signature.name, error)


def _neutral(spec: TensorSpec) -> np.ndarray:
    shape = tuple(1 if s is None else s for s in spec.shape or ())
    return np.full(shape, b"" if spec.dtype == object else 0, spec.dtype)
