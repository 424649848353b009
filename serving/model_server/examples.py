"""tf.Examples of Classify and Regress requests as a tensor, and their answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from serving.model_server.saved_model import Signature
from serving.model_server.status import Code, StatusError, invalid_argument

CLASSIFY = tf.saved_model.CLASSIFY_METHOD_NAME
REGRESS = tf.saved_model.REGRESS_METHOD_NAME


def serialized(source: input_pb2.Input) -> np.ndarray:
    """[B] serialized tf.Examples; the context's features go into each of them."""
    kind = source.WhichOneof("kind")
    if kind == "example_list":
        found = [e.SerializeToString() for e in source.example_list.examples]
    elif kind == "example_list_with_context":
        context = source.example_list_with_context.context.SerializeToString()
        # Messages merge by concatenation; the example's own features win.
        found = [
            context + e.SerializeToString()
            for e in source.example_list_with_context.examples
        ]
    else:
        found = []
    if not found:
        raise invalid_argument("Input is empty.")
    values = np.empty(len(found), object)
    values[:] = found
    return values


def require_method(signature: Signature, method_name: str) -> None:
    """Raises StatusError unless the signature was exported for this method."""
    if signature.method_name != method_name:
        kind = "classification" if method_name == CLASSIFY else "regression"
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {method_name}. "
            f"Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise StatusError(Code.INVALID_ARGUMENT, "Expected one input Tensor.")


def classifications(
    outputs: dict[str, np.ndarray], rows: int
) -> classification_pb2.ClassificationResult:
    """Labels and scores of each example, from the outputs `classes` and `scores`."""
    result = classification_pb2.ClassificationResult()
    classes, scores = outputs.get("classes"), outputs.get("scores")
    for name, values in (("classes", classes), ("scores", scores)):
        if values is not None and (values.ndim != 2 or values.shape[0] != rows):
            raise invalid_argument(
                f"Expected Tensor shape: [{rows}, ?] for output `{name}`. "
                f"Received: {list(values.shape)}."
            )
    for row in range(rows):
        made = result.classifications.add()
        labels: list[Any] = [] if classes is None else classes[row].tolist()
        found: list[Any] = [] if scores is None else scores[row].tolist()
        for i in range(max(len(labels), len(found))):
            made.classes.add(
                label=labels[i] if labels else "", score=found[i] if found else 0.0
            )
    return result


def regressions(
    outputs: dict[str, np.ndarray], rows: int
) -> regression_pb2.RegressionResult:
    """The value of each example, from the output `outputs`."""
    values = outputs.get("outputs")
    if values is None or values.size != rows:
        raise invalid_argument(f"Expected the output `outputs` with {rows} values.")
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add(value=value)
    return result
