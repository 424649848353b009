"""PredictRequests whose tensors are read once for all requests that repeat them.

On the wire a map is a list of entries, and a message inside another is bytes
(https://protobuf.dev/programming-guides/encoding/): the bytes of TensorFlow Serving's
PredictRequest are a `ShallowPredictRequest` as well, whose entries stay bytes. Most
inputs of a request are those of the one before it (no filter, the same `k`); they are
known by their bytes, and only ids and times are read each time.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import model_pb2

from serving.model_server import tensor_codec
from serving.model_server.status import invalid_argument

# Entries up to this long, of so many elements, are remembered: a few MB in all.
SMALL_BYTES = 64
SMALL_SIZE = 64
REMEMBERED = 4096

_FILE = f"""
name: "souk/shallow_predict_request.proto"
package: "souk"
syntax: "proto3"
dependency: "{model_pb2.DESCRIPTOR.name}"
message_type {{
  name: "ShallowPredictRequest"
  field {{ name: "model_spec" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE
          type_name: ".{model_pb2.ModelSpec.DESCRIPTOR.full_name}" }}
  field {{ name: "inputs" number: 2 label: LABEL_REPEATED type: TYPE_BYTES }}
  field {{ name: "output_filter" number: 3 label: LABEL_REPEATED type: TYPE_STRING }}
}}
message_type {{
  name: "ShallowEntry"
  field {{ name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }}
  field {{ name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_BYTES }}
}}
"""


def _message_classes() -> tuple[Any, Any]:
    pool: Any = descriptor_pool.Default()
    file = text_format.Parse(_FILE, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(file.SerializeToString())
    # protobuf 3 has no `GetMessageClass`, protobuf 6 nothing else.
    factory: Any = message_factory
    class_of = getattr(factory, "GetMessageClass", None)
    class_of = class_of or factory.MessageFactory(pool).GetPrototype
    request, entry = (
        class_of(pool.FindMessageTypeByName(f"souk.Shallow{name}"))
        for name in ("PredictRequest", "Entry")
    )
    return request, entry


# Of the bytes of a PredictRequest: `model_spec`, `inputs` (bytes), `output_filter`.
ShallowPredictRequest, _Entry = _message_classes()


def tensors(inputs: list[bytes]) -> dict[str, np.ndarray]:
    """The tensors of a request by name; arrays may be shared, and cannot be written.

    Raises:
      StatusError: an entry is no tensor; shape and values do not fit each other.
    """
    found = {}
    for entry in inputs:
        known = _remembered(entry) if len(entry) <= SMALL_BYTES else None
        name, array = known or _read(entry)
        found[name] = array
    return found


def _read(entry: bytes) -> tuple[str, np.ndarray]:
    name, proto = _parse(entry)
    return name, tensor_codec.decode(proto)


@functools.lru_cache(REMEMBERED)
def _remembered(entry: bytes) -> tuple[str, np.ndarray] | None:
    """What `_read` gives; None where a few bytes stand for many elements."""
    name, proto = _parse(entry)
    if math.prod(dim.size for dim in proto.tensor_shape.dim) > SMALL_SIZE:
        return None
    array = tensor_codec.decode(proto)
    array.flags.writeable = False
    return name, array


def _parse(entry: bytes) -> tuple[str, tensor_pb2.TensorProto]:
    try:
        found = _Entry.FromString(entry)
        return found.key, tensor_pb2.TensorProto.FromString(found.value)
    except DecodeError as error:
        raise invalid_argument(f"An input cannot be read: {error}") from error
