"""A PredictRequest read entry by entry holds what TensorFlow reads of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.model_server.predict_request import (
    SMALL_BYTES,
    ShallowPredictRequest,
    tensors,
)
from serving.model_server.status import Code, StatusError
from tests.serving.model_server.test_tensor_codec import ARRAYS


def made(**inputs: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def shallow(request: predict_pb2.PredictRequest) -> Any:
    return ShallowPredictRequest.FromString(request.SerializeToString())


def test_tensors_are_those_that_tensorflow_reads() -> None:
    long = np.array([[b"item-%05d" % i for i in range(300)]], object)
    inputs = {f"input {place}": array for place, array in enumerate([*ARRAYS, long])}

    found = tensors(shallow(made(**inputs)).inputs)

    assert found.keys() == inputs.keys()
    for name, want in inputs.items():
        np.testing.assert_array_equal(found[name], want)
        assert found[name].shape == want.shape and found[name].dtype == want.dtype


def test_model_and_filter_are_those_of_the_request() -> None:
    request = made(k=3)
    request.model_spec.name = "souk"
    request.model_spec.signature_name = "recommend"
    request.model_spec.version.value = 12
    request.output_filter.extend(["item_ids", "scores"])
    request.client_id = b"a field that is not read"

    found = shallow(request)

    assert found.model_spec == request.model_spec
    assert found.model_spec.HasField("version")
    assert list(found.output_filter) == ["item_ids", "scores"]


def test_what_repeats_is_read_once_and_cannot_be_changed() -> None:
    long = np.arange(SMALL_BYTES)
    first, second = (
        tensors(shallow(made(k=number, small=[7], long=long)).inputs)
        for number in (1, 2)
    )

    assert first["small"] is second["small"]
    assert not first["small"].flags.writeable
    assert first["long"] is not second["long"]
    assert (first["k"], second["k"]) == (1, 2)


def test_few_bytes_that_stand_for_many_values_are_not_remembered() -> None:
    request = predict_pb2.PredictRequest()
    proto = request.inputs["x"]
    proto.CopyFrom(tf.make_tensor_proto([1.5]))
    proto.tensor_shape.dim[0].size = 1_000_000

    first, second = (tensors(shallow(request).inputs)["x"] for _ in range(2))

    assert first is not second and first.size == 1_000_000


def test_the_last_of_two_entries_of_one_name_counts() -> None:
    """As protobuf reads a map."""
    twice = made(k=1).SerializeToString() + made(k=2).SerializeToString()

    assert tensors(ShallowPredictRequest.FromString(twice).inputs)["k"] == 2
    whole = predict_pb2.PredictRequest.FromString(twice)
    assert tf.make_ndarray(whole.inputs["k"]) == 2


@pytest.mark.parametrize("entry", [b"\x12\x02\xff\xff", b"\x12\x64" + b"\xff" * 100])
def test_what_is_no_tensor_is_the_callers_fault(entry: bytes) -> None:
    with pytest.raises(StatusError, match="cannot be read") as caught:
        tensors([entry])

    assert caught.value.code == Code.INVALID_ARGUMENT
