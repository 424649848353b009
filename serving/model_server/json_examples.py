"""JSON bodies of classify and regress requests: examples in, labels or values out."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from serving.model_server import examples
from serving.model_server.status import invalid_argument


def serialized(document: dict[str, Any]) -> np.ndarray:
    """[B] serialized tf.Examples from the keys `examples` and `context`."""
    rows = document.get("examples")
    if not isinstance(rows, list):
        raise invalid_argument("Expecting 'examples' value to be an list/array")
    if not rows:
        raise invalid_argument("'examples' value is an empty array")
    context = document.get("context", {})
    values = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(context, dict):
            raise invalid_argument("Example must be JSON object")
        values[i] = _example({**context, **row}).SerializeToString()
    return values


def _example(row: dict[str, Any]) -> tf.train.Example:
    example = tf.train.Example()
    for name, value in row.items():
        feature = example.features.feature[name]
        items = value if isinstance(value, list) else [value]
        if items:
            _fill(feature, name, items)
    return example


def _fill(feature: Any, name: str, items: list[Any]) -> None:
    kinds = {type(item) for item in items}
    if kinds <= {str, dict}:
        feature.bytes_list.value.extend(_bytes(name, item) for item in items)
    elif kinds <= {int, bool}:
        feature.int64_list.value.extend(int(item) for item in items)
    elif kinds <= {int, float}:
        feature.float_list.value.extend(items)
    else:
        raise invalid_argument(f"Feature: {name} has element with unexpected JSON type")


def _bytes(name: str, item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if item.keys() == {"b64"} and isinstance(item["b64"], str):
        try:
            return base64.b64decode(item["b64"], validate=True)
        except ValueError as error:
            raise invalid_argument("Unable to base64 decode") from error
    raise invalid_argument(f"Feature: {name} has an object that is not base64 data")


def answer(method: str, outputs: dict[str, np.ndarray], rows: int) -> bytes:
    """`results`: [label, score] pairs for each example, or one value for each."""
    results: list[Any]
    if method == "classify":
        made = examples.classifications(outputs, rows).classifications
        results = [[[c.label, c.score] for c in each.classes] for each in made]
    else:
        results = [
            each.value for each in examples.regressions(outputs, rows).regressions
        ]
    return orjson.dumps({"results": results})
