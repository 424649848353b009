"""Our codec reads what TensorFlow writes, and TensorFlow reads what ours writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.model_server import tensor_codec
from serving.model_server.status import StatusError

ARRAYS: list[Any] = [
    np.array([[1.5, -2.0], [np.nan, np.inf]], np.float32),
    np.array([1.5], np.float64),
    np.array(7, np.int32),
    np.arange(6, dtype=np.int64).reshape(1, 2, 3),
    np.array([True, False]),
    np.array([3, 200], np.uint8),
    np.zeros((2, 0), np.float32),
    np.zeros((0,), np.int64),
    np.array([1.5, 2.5], np.float16),
    np.array([[b"a", b"\xff\x00"], [b"", "ä".encode()]], object),
    np.array(b"scalar", object),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_round_trips_with_tensorflow(array: np.ndarray) -> None:
    written = tensor_pb2.TensorProto()
    tensor_codec.encode(array, written)

    np.testing.assert_array_equal(tf.make_ndarray(written), array)
    read = tensor_codec.decode(tf.make_tensor_proto(array))
    np.testing.assert_array_equal(read, array)
    assert read.shape == array.shape and read.dtype == array.dtype


def test_the_last_value_fills_a_tensor_as_tensorflow_has_it() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_INT64, int64_val=[1, 2])
    proto.tensor_shape.dim.add(size=4)

    assert tensor_codec.decode(proto).tolist() == [1, 2, 2, 2]


@pytest.mark.parametrize(
    "sizes", [[-1], [0, -1], [-2, -1], [1 << 20, 1 << 20], [1], [1] * 40]
)
def test_shapes_that_do_not_fit_are_refused(sizes: list[int]) -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1, 2])
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)

    with pytest.raises(StatusError):
        tensor_codec.decode(proto)


@pytest.mark.parametrize("kind", [types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT])
def test_what_is_no_tensor_of_values_is_refused(kind: int) -> None:
    with pytest.raises(StatusError, match="cannot be read"):
        tensor_codec.decode(tensor_pb2.TensorProto(dtype=kind))


def test_content_of_another_length_is_refused() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=b"12345")
    proto.tensor_shape.dim.add(size=1)

    with pytest.raises(StatusError, match="4 bytes"):
        tensor_codec.decode(proto)
