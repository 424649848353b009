"""TensorProto to NumPy and back, without TensorFlow's slower general functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.model_server.status import invalid_argument

# More would be a request that names a huge shape and sends one value to fill it.
MAX_ELEMENTS = 1 << 26
MAX_DIMENSIONS = 32  # NumPy's, on either stack

_FIELDS: dict[int, tuple[str, Any]] = {
    types_pb2.DT_FLOAT: ("float_val", np.float32),
    types_pb2.DT_DOUBLE: ("double_val", np.float64),
    types_pb2.DT_INT32: ("int_val", np.int32),
    types_pb2.DT_INT16: ("int_val", np.int16),
    types_pb2.DT_INT8: ("int_val", np.int8),
    types_pb2.DT_UINT8: ("int_val", np.uint8),
    types_pb2.DT_UINT16: ("int_val", np.uint16),
    types_pb2.DT_INT64: ("int64_val", np.int64),
    types_pb2.DT_UINT32: ("uint32_val", np.uint32),
    types_pb2.DT_UINT64: ("uint64_val", np.uint64),
    types_pb2.DT_BOOL: ("bool_val", np.bool_),
    types_pb2.DT_STRING: ("string_val", object),
}
_BY_DTYPE = {
    np.dtype(kind): (number, field) for number, (field, kind) in _FIELDS.items()
}


def decode(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """The proto's tensor; strings as an object array of bytes.

    Raises:
      StatusError: shape and values do not fit each other.
    """
    shape = [d.size for d in proto.tensor_shape.dim]
    size = math.prod(shape)
    if len(shape) > MAX_DIMENSIONS or min(shape, default=0) < 0 or size > MAX_ELEMENTS:
        raise invalid_argument(f"A tensor cannot have the shape {shape}.")
    known = _FIELDS.get(proto.dtype)
    if known is None:
        return _decode_rare(proto)
    field, dtype = known
    if dtype is object:
        if proto.tensor_content:
            raise invalid_argument("A string tensor goes into string_val.")
        array = np.array(proto.string_val[:], object)
    else:
        values = getattr(proto, field)
        # A list first: NumPy reads a repeated field element by element, slowly.
        array = np.array(values[:], dtype)
        if not array.size and (content := proto.tensor_content):
            array = _from_content(content, dtype, size)
    if array.size != size:
        array = _fill(array, size)
    return array if len(shape) == 1 else array.reshape(shape)


def _fill(array: np.ndarray, size: int) -> np.ndarray:
    """Fewer values than elements: the last one repeats, as TensorFlow has it."""
    if array.size > size:
        raise invalid_argument(f"{array.size} values for a tensor of {size}.")
    neutral: Any = b"" if array.dtype == object else 0
    filled = np.full(size, array[-1] if array.size else neutral, array.dtype)
    filled[: array.size] = array
    return filled


def _from_content(content: bytes, dtype: Any, size: int) -> np.ndarray:
    expected = size * np.dtype(dtype).itemsize
    if len(content) != expected:
        raise invalid_argument(
            f"tensor_content must hold {expected} bytes. Received: {len(content)}."
        )
    return np.frombuffer(content, dtype)


def _decode_rare(proto: tensor_pb2.TensorProto) -> np.ndarray:
    try:
        array: np.ndarray = tf.make_ndarray(proto)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid_argument(f"Tensor cannot be read: {error}") from error
    return array


def encode(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Writes the array into an empty proto, values in the typed field.

    TensorFlow Serving fills the typed field too, and clients read it directly.
    """
    known = _BY_DTYPE.get(array.dtype)
    if known is None:
        proto.CopyFrom(tf.make_tensor_proto(array))
        return
    proto.dtype, field = known
    dims = proto.tensor_shape.dim
    for size in array.shape:
        dims.add(size=size)
    getattr(proto, field).extend(array.ravel().tolist())
