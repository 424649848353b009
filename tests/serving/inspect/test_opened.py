"""Products in calls and branches are counted wherever they hide.

The request is [8, 16], the weights are [16, 32]: a product takes 2 x 8 x 16 x 32 =
8,192 FLOPs, the sum of a request 128.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from tensorflow.compiler.tf2xla.python import xla
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.inspect import inspect
from serving.inspect.gpus import GPUS
from serving.inspect.inspection import BatchCost, inspect_model
from serving.model_server.warmup import WARMUP_FILE

PRODUCT, SUM = 8_192, 128

Work = Callable[[tf.Tensor], tf.Tensor]


def product(x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf.ones([16, 32]))


def chosen(x: tf.Tensor) -> tf.Tensor:
    return tf.cond(tf.reduce_sum(x) > 0, lambda: product(x), lambda: tf.zeros([8, 32]))


def not_inlined(work: Work) -> Work:
    return tf.function(work, experimental_attributes={"_noinline": True})


def compiled(work: Work) -> Work:
    return tf.function(work, jit_compile=True)


def save(work: Work, path: Path) -> Path:
    """A model of one signature, with a recorded request of eight rows of ones."""
    spec = tf.TensorSpec([None, 16], tf.float32, name="x")
    module = tf.Module()
    module.page = tf.function(lambda x: {"y": work(x)}, input_signature=[spec])
    tf.saved_model.save(module, str(path), signatures={"page": module.page})
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = "page"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.ones([8, 16], np.float32)))
    (path / WARMUP_FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path / WARMUP_FILE)) as writer:
        writer.write(log.SerializeToString())
    return path


def cost(model: Path) -> BatchCost:
    (page,) = inspect_model(model, GPUS["l4"]).signatures
    (found,) = page.costs
    return found


def twice(x: tf.Tensor) -> tf.Tensor:
    """The nodes of both calls have the same names."""
    work = not_inlined(product)
    return tf.concat([work(x), work(x + 1)], axis=0)


@pytest.mark.parametrize(
    ("work", "flops"),
    [
        (product, PRODUCT),
        (chosen, SUM + PRODUCT),
        (not_inlined(product), PRODUCT),
        # x + 1, two products, and the 16 x 32 numbers that `concat` makes
        (twice, 128 + 2 * PRODUCT + 512),
        (compiled(product), PRODUCT),
        (compiled(chosen), SUM + PRODUCT),
        (not_inlined(compiled(chosen)), SUM + PRODUCT),
    ],
    ids=["plain", "cond", "noinline", "twice", "jit", "jit_cond", "nested"],
)
def test_products_count_in_whatever_function_they_stand(work, flops, tmp_path) -> None:
    found = cost(save(work, tmp_path))
    assert (found.batch_size, found.flops, found.uncounted) == (8, flops, ())


def test_a_body_that_xla_alone_can_run_is_named_as_not_counted(tmp_path) -> None:
    rounded = compiled(lambda x: xla.reduce_precision(product(x), 8, 3))
    model = save(rounded, tmp_path)
    (op,) = cost(model).uncounted
    assert "PartitionedCall" in op
    console = Console(record=True, width=200)
    inspect(console, str(model), tmp_path, gpu="l4", every=False, as_json=False)
    assert f"the functions of {op} do" in console.export_text()
