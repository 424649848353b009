"""Products in bfloat16 against NumPy's, and everything else as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.inspect.gpus import GPUS
from serving.inspect.inspection import inspect_model
from trainer.compression.compact_model import CompactModel
from trainer.compression.plan import StoragePlan
from trainer.compression.quantize import quantize
from trainer.compression.read_back import read_back

pytestmark = pytest.mark.slow  # models are saved and loaded

N, D, B = 300, 16, 5
RANDOM = np.random.default_rng(7)
ITEMS = RANDOM.normal(size=(N, D)).astype(np.float32)
KERNEL = RANDOM.normal(size=(D, 4 * D)).astype(np.float32)
HEAD = RANDOM.normal(size=(D, 1)).astype(np.float32)
IN_HALF = StoragePlan(bfloat16_products=True, expand_bytes=2 * N * D)


class World(tf.Module):
    """A table that is multiplied, gathered and read; a kernel; a small head."""

    def __init__(self) -> None:
        super().__init__()
        self.items = tf.Variable(ITEMS, trainable=False, name="items")
        self.kernel = tf.Variable(KERNEL, trainable=False, name="kernel")
        self.head = tf.Variable(HEAD, trainable=False, name="head")

    def score(self, x: tf.Tensor, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        items = self.items.read_value()
        return {
            "scores": tf.matmul(x, items, transpose_b=True),
            "hidden": tf.nn.relu(tf.matmul(x, self.kernel)),
            "gathered": tf.gather(items, rows),
            "total": tf.reduce_sum(items, axis=0),
            "order": tf.matmul(x, self.head),
        }

    def rows_of(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"gathered": tf.gather(self.items, rows)}


def bfloat16(values: np.ndarray) -> np.ndarray:
    return values.astype(tf.bfloat16.as_numpy_dtype).astype(np.float32)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world, folder = World(), tmp_path_factory.mktemp("plain")
    x = tf.TensorSpec([None, D], tf.float32, name="x")
    rows = tf.TensorSpec([None], tf.int32, name="rows")
    signatures = {
        "score": tf.function(world.score).get_concrete_function(x=x, rows=rows),
        "rows": tf.function(world.rows_of).get_concrete_function(rows=rows),
    }
    tf.saved_model.save(world, str(folder), signatures=signatures)
    return folder


def compact(plain: Path, plan: StoragePlan, folder: Path) -> Any:
    model = CompactModel(tf.saved_model.load(str(plain)), plan)
    model.save(folder)
    assert model.expanded_bytes == (
        2 * (ITEMS.size + KERNEL.size) if plan.quantize and plan.expand_bytes else 0
    )
    return tf.saved_model.load(str(folder)).signatures


@pytest.mark.parametrize(
    "plan",
    [
        IN_HALF,
        dataclasses.replace(IN_HALF, expand_bytes=0),
        dataclasses.replace(IN_HALF, quantize=False),
    ],
    ids=["load", "use", "unquantized"],
)
def test_products_are_those_of_rounded_numbers(
    plain: Path, plan: StoragePlan, tmp_path: Path
) -> None:
    x = RANDOM.normal(size=(B, D)).astype(np.float32)
    rows = np.array([3, 0, 299], np.int32)
    signatures = compact(plain, plan, tmp_path)
    found = {
        name: value.numpy()
        for name, value in signatures["score"](
            x=tf.constant(x), rows=tf.constant(rows)
        ).items()
    }
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
    if plan.quantize:
        items, kernel = quantize(ITEMS, 0).values(), quantize(KERNEL, 1).values()
    else:
        items, kernel = ITEMS, KERNEL
    # Codes are exact in bfloat16, numbers are rounded (by 2**-8 at most). The result
    # is too, with scales behind twice, and once more by kernels other than oneDNN's.
    if not plan.quantize or plan.expand_bytes:
        rounded = bfloat16(items), bfloat16(kernel)
    else:
        rounded = items, kernel
    scores, hidden = (bfloat16(x) @ matrix for matrix in (rounded[0].T, rounded[1]))
    close = {"rtol": 3 * 2**-8, "atol": 1e-5}
    np.testing.assert_allclose(found["scores"], scores, **close)
    np.testing.assert_allclose(found["hidden"], np.maximum(hidden, 0.0), **close)
    np.testing.assert_allclose(found["gathered"], items[rows], rtol=2**-7)
    np.testing.assert_allclose(found["total"], items.sum(axis=0), rtol=0.02, atol=1.0)
    # As it was: few numbers, which decide the order.
    np.testing.assert_allclose(found["order"], x @ HEAD, rtol=1e-5, atol=1e-5)
    again = signatures["rows"](rows=tf.constant(rows))["gathered"]
    np.testing.assert_array_equal(again, found["gathered"])


def test_the_file_is_as_small_and_the_ops_have_gpu_kernels(
    plain: Path, tmp_path: Path
) -> None:
    compact(plain, IN_HALF, tmp_path)
    sizes = read_back(tmp_path)["by_dtype"]
    assert sizes["int8"]["numbers"] == ITEMS.size + KERNEL.size
    found = inspect_model(tmp_path, GPUS["l4"], measure=False)
    report = {each.name: each for each in found.signatures}["score"]
    products = {row.types: row.count for row in report.ops if row.op == "MatMul"}
    assert products == {("bfloat16",): 2, ("float",): 1}
    assert not report.fallbacks
