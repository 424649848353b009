"""Places of nodes whose kernels are known from TensorFlow's sources."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2

from serving.inspect.kernels import Place, devices, place
from serving.inspect.reasons import NO_KERNEL, reason


def node(op: str, **types: tf.DType) -> node_def_pb2.NodeDef:
    made = node_def_pb2.NodeDef(name="n", op=op)
    for name, dtype in types.items():
        made.attr[name].type = dtype.as_datatype_enum
    return made


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (node("MatMul", T=tf.float32), Place.GPU),
        (node("TopKV2", T=tf.float32), Place.GPU),
        (node("GatherV2", Tparams=tf.int32, Tindices=tf.int32, Taxis=tf.int32),
         Place.GPU),
        # matmul_op registers no 8-bit kernel on any device
        (node("MatMul", T=tf.int8), Place.HOST),
        # cwise_op_add: int32 on the GPU keeps x, y and z in host memory
        (node("AddV2", T=tf.int32), Place.HOST_MEMORY),
        (node("AddV2", T=tf.float32), Place.GPU),
        # resource variables of int32 are kept on the host
        (node("ResourceGather", dtype=tf.int32, Tindices=tf.int32), Place.HOST),
        (node("ResourceGather", dtype=tf.uint32, Tindices=tf.int32), Place.GPU),
        (node("LookupTableFindV2", Tin=tf.string, Tout=tf.int32), Place.HOST),
        (node("RaggedBincount", Tidx=tf.int32, T=tf.float32), Place.HOST),
        (node("StringLower"), Place.HOST),
    ],
)  # fmt: skip
def test_types_decide_where_an_op_runs(definition, expected) -> None:
    assert place(definition) is expected


def test_an_attribute_that_the_file_leaves_out_has_its_default() -> None:
    # TopKV2's index_type is int32 unless said.
    assert devices(node("TopKV2", T=tf.float32)) == ("CPU", "GPU")
    assert devices(node("RaggedBincount", Tidx=tf.int32, T=tf.float32)) == ("CPU",)


def test_what_is_meant_to_be_on_the_host_says_why() -> None:
    assert "look-ups" in reason("LookupTableFindV2", has_strings=True)
    assert "segment" in reason("RaggedBincount", has_strings=False)
    assert "host memory" in reason("Reshape", has_strings=True)
    assert reason("QuantizedMatMul", has_strings=False) == NO_KERNEL
