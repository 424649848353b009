"""JSON bodies of predict, classify and regress requests to tensors and back."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from serving.model_server.saved_model import Signature, TensorSpec
from serving.model_server.status import invalid_argument
from serving.model_server.tensor_codec import MAX_DIMENSIONS

BYTES_SUFFIX = "_bytes"  # string outputs with such a name are answered in base64


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object; NaN and Infinity are read as numbers."""
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_with_nan(body)
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {_show(document)} Is not object")
    return document


def _parse_with_nan(body: bytes) -> Any:
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()  # no half characters
        return document
    except (UnicodeError, RecursionError) as error:
        raise invalid_argument(
            "JSON Parse error: Invalid encoding in string."
        ) from error
    except json.JSONDecodeError as error:
        raise invalid_argument(
            f"JSON Parse error: {error.msg} at offset: {error.pos}"
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise invalid_argument(f"JSON Parse error: {error}") from error


def signature_name(document: dict[str, Any]) -> str:
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument(
            f"JSON Value: {_show(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def feeds(
    document: dict[str, Any], signature: Signature
) -> tuple[list[np.ndarray], bool]:
    """(feeds in the signature's order, whether the request is in row format)."""
    if "instances" in document and "inputs" in document:
        raise invalid_argument(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist"
        )
    if "instances" in document:
        columns = _columns_of_rows(document["instances"], signature)
        rows = True
    elif "inputs" in document:
        columns = _named_columns(document["inputs"], signature)
        rows = False
    else:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    values = {k: tensor(v, signature.inputs[k]) for k, v in columns.items()}
    return signature.order(values), rows


def _named_columns(inputs: Any, signature: Signature) -> dict[str, Any]:
    names = signature.inputs.keys()
    if not isinstance(inputs, dict) or _is_base64(inputs):
        if len(names) != 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        return {next(iter(names)): inputs}
    for name in names:
        if name not in inputs:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
    return {name: inputs[name] for name in names}


def _columns_of_rows(instances: Any, signature: Signature) -> dict[str, Any]:
    if not isinstance(instances, list):
        raise invalid_argument("Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid_argument("No values in 'instances' array")
    names = list(signature.inputs)
    first = instances[0]
    if not isinstance(first, dict) or _is_base64(first):
        return {_only_name(names): [_plain(i, row) for i, row in enumerate(instances)]}
    wanted = set(names)
    for i, row in enumerate(instances):
        if not isinstance(row, dict):
            raise invalid_argument(f"Expecting object but got list at item {i}")
        if row.keys() != wanted:
            raise invalid_argument(
                f"Failed to process element: {i} of 'instances' list. JSON object: "
                f"{_show(row)} keys must be equal to: {','.join(names)}"
            )
    return {name: [row[name] for row in instances] for name in names}


def _only_name(names: list[str]) -> str:
    if len(names) != 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    return names[0]


def _plain(index: int, row: Any) -> Any:
    if isinstance(row, dict) and not _is_base64(row):
        raise invalid_argument(
            f"Expecting value/list but got object at item {index} of input list"
        )
    return row


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"}


def tensor(value: Any, spec: TensorSpec) -> np.ndarray:
    """A tensor of the spec's type from nested lists; strings from text or base64."""
    shape = _shape(value)
    flat: list[Any] = []
    if shape:
        _flatten(value, shape, 0, flat)
    else:
        flat.append(value)
    dtype = spec.dtype
    if dtype.kind == "O":
        found = [i.encode() if type(i) is str else _bytes(i) for i in flat]
        return np.array(found, object).reshape(shape)
    _check_numbers(flat, dtype)
    try:
        return _numbers(flat, dtype).reshape(shape)
    except (OverflowError, ValueError, TypeError) as error:
        raise invalid_argument(f"Input `{spec.alias}`: {error}") from error


def _numbers(flat: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    if dtype.kind not in "iu":
        return np.array(flat, dtype)
    wide = np.array(flat, np.uint64 if dtype == np.uint64 else np.int64)
    narrow = wide.astype(dtype)
    if (wide != narrow).any():  # NumPy 1 wraps round without an error
        raise OverflowError(f"a number is no {dtype}")
    return narrow


def _shape(value: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(value, list):
        if len(shape) == MAX_DIMENSIONS:
            raise invalid_argument(
                f"Lists must be nested at most {MAX_DIMENSIONS} deep."
            )
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _flatten(value: Any, shape: tuple[int, ...], level: int, flat: list[Any]) -> None:
    if not isinstance(value, list):
        raise invalid_argument(
            f"JSON Value: {_show(value)} found at incorrect level: {level} in the JSON "
            f"DOM. Expected at level: {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    if level == len(shape) - 1:
        if any(isinstance(item, list) for item in value):
            raise invalid_argument(
                f"Encountered list at unexpected level: {level + 1} expected < "
                f"{len(shape)}"
            )
        flat.extend(value)
        return
    for item in value:
        _flatten(item, shape, level + 1, flat)


def _bytes(item: Any) -> bytes:
    if _is_base64(item) and isinstance(item["b64"], str):
        try:
            return base64.b64decode(item["b64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid_argument("Unable to base64 decode") from error
    raise _wrong_type(item, "string")


def _check_numbers(flat: list[Any], dtype: np.dtype[Any]) -> None:
    if dtype.kind == "b":
        allowed: tuple[type, ...] = (bool,)
    elif dtype.kind in "iu":
        allowed = (int,)
    else:
        allowed = (int, float)
    if not set(map(type, flat)).issubset(allowed):
        item = next(item for item in flat if type(item) not in allowed)
        raise _wrong_type(item, tf.as_dtype(dtype).name)


def _wrong_type(item: Any, expected: str) -> Exception:
    return invalid_argument(
        f"JSON Value: {_show(item)} Type: {_type_of(item)} is not of expected type: "
        f"{expected}"
    )


def _type_of(value: Any) -> str:
    kinds = {bool: str(value), int: "Number", float: "Number", str: "String"}
    kinds |= {list: "Array", dict: "Object", type(None): "Null"}
    return kinds.get(type(value), "Unknown")


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:200] + "..."


def answer(outputs: dict[str, np.ndarray], *, rows: bool) -> bytes:
    """The response body: `predictions` by row or `outputs` by column."""
    plain = {name: _json_able(name, value) for name, value in outputs.items()}
    if not rows:
        only = len(plain) == 1
        return dump({"outputs": next(iter(plain.values())) if only else plain}, outputs)
    sizes = {name: v.shape[0] if v.ndim else None for name, v in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) != 1:
        raise invalid_argument(
            f"The outputs have no common batch size ({sizes}): use the column format."
        )
    if len(plain) == 1:
        return dump({"predictions": next(iter(plain.values()))}, outputs)
    names, columns = list(plain), list(plain.values())
    made = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return dump({"predictions": made}, outputs)


def _json_able(name: str, array: np.ndarray) -> Any:
    """What orjson writes: numbers stay NumPy (float32 in its own shortest digits)."""
    if array.dtype != object:
        known = array.dtype.kind in "biuf"  # not bfloat16, which NumPy calls void
        return np.ascontiguousarray(array if known else array.astype(np.float32))
    convert = _base64 if name.endswith(BYTES_SUFFIX) else _text
    made = np.empty(array.size, object)
    made[:] = [convert(value) for value in array.ravel().tolist()]
    return made.reshape(array.shape).tolist()


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def dump(document: Any, outputs: dict[str, np.ndarray]) -> bytes:
    """JSON bytes; NaN and Infinity stay the words that TensorFlow Serving writes."""
    floats = [v for v in outputs.values() if v.dtype.kind not in "biuO"]
    finite = all(np.isfinite(v).all() for v in floats)
    if finite:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(document, ensure_ascii=False, default=_plain_numbers).encode()


def _plain_numbers(value: Any) -> Any:
    return value.tolist()
