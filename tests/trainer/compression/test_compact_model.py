"""A model over stored codes answers as the model that NumPy makes of the codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.compression.compact_model import CompactModel
from trainer.compression.plan import StoragePlan
from trainer.compression.quantize import quantize, quantize_in_blocks
from trainer.compression.read_back import read_back

N, D = 300, 16
RANDOM = np.random.default_rng(5)
EMBEDDINGS = RANDOM.normal(size=(N, D)).astype(np.float32)
ITEMS = RANDOM.normal(size=(D, N)).astype(np.float32)
LISTS = np.sort(RANDOM.random((N, 60)).astype(np.float32))[:, ::-1].copy()
IDS = RANDOM.integers(0, N, (N, 60)).astype(np.int32)
FEATURES = (RANDOM.random((N, 8)) * 1000).astype(np.float32)
NAMES = [f"item-{i}" for i in range(N)]


class World(tf.Module):
    """Every way in which a bundle reads its arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(NAMES, tf.range(N)), default_value=0
        )
        arrays = {
            "embeddings": EMBEDDINGS,
            "items": ITEMS,
            "lists": LISTS,
            "ids": IDS,
            "features": FEATURES,
        }
        for name, array in arrays.items():
            setattr(self, name, tf.Variable(array, trainable=False, name=name))

    def score(self, names: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self.rows.lookup(names)
        mine = tf.gather(self.embeddings, rows)
        near = tf.gather(self.items.read_value(), rows, axis=1)
        swish = tf.nn.swish(tf.matmul(mine, self.items))
        longer = tf.while_loop(lambda i: i < 3, lambda i: [i + 1], [tf.constant(0)])[0]
        return {
            "scores": tf.matmul(mine, self.items),
            "near": tf.transpose(near),
            "lists": tf.gather(self.lists, rows),
            "ids": tf.gather(self.ids, rows),
            "features": tf.gather(self.features, rows),
            "swish": swish * tf.cast(longer, tf.float32),
            "total": tf.reduce_sum(self.items) * tf.ones_like(mine[:, 0]),
        }

    def features_of(self, names: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"features": tf.gather(self.features, self.rows.lookup(names))}


PLAN = StoragePlan(half=("feat*",), blocks={"lists": 30})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    world = World()
    spec = tf.TensorSpec([None], tf.string, name="names")
    signatures = {
        "score": tf.function(world.score).get_concrete_function(names=spec),
        "features": tf.function(world.features_of).get_concrete_function(names=spec),
    }
    folder = tmp_path_factory.mktemp("models")
    tf.saved_model.save(world, str(folder / "plain"), signatures=signatures)
    loaded = tf.saved_model.load(str(folder / "plain"))
    CompactModel(loaded, PLAN).save(folder / "compact")
    return folder / "plain", folder / "compact"


@pytest.fixture(scope="module")
def answers(folders: tuple[Path, Path]) -> dict[str, np.ndarray]:
    compact = tf.saved_model.load(str(folders[1]))
    found = compact.signatures["score"](names=tf.constant(["item-7", "item-150"]))
    return {name: value.numpy() for name, value in found.items()}


AT = [7, 150]


def test_gathered_rows_and_products_are_those_of_the_codes(
    answers: dict[str, np.ndarray],
) -> None:
    embeddings = quantize(EMBEDDINGS, 0).values()
    items = quantize(ITEMS, 1).values()
    expected = embeddings[AT] @ items
    np.testing.assert_allclose(answers["scores"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(answers["near"].T, items[:, AT], rtol=1e-6)
    swish = expected / (1 + np.exp(-expected)) * 3
    np.testing.assert_allclose(answers["swish"], swish, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers["total"], items.sum(), rtol=1e-3, atol=1e-3)


def test_lists_have_scales_by_block_and_features_half_precision(
    answers: dict[str, np.ndarray],
) -> None:
    lists = quantize_in_blocks(LISTS, 30).values()
    np.testing.assert_allclose(answers["lists"], lists[AT], rtol=1e-6)
    np.testing.assert_array_equal(answers["ids"], IDS[AT])
    half = FEATURES.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(answers["features"], half[AT])


def test_types_and_one_copy_are_read_back_from_the_file(
    folders: tuple[Path, Path],
) -> None:
    before, after = read_back(folders[0]), read_back(folders[1])
    stored = {a["name"].removeprefix("_stored/"): a for a in after["arrays"]}
    types = {name: entry["dtype"] for name, entry in stored.items()}
    assert types["embeddings_codes"] == types["items_codes"] == "int8"
    assert types["lists_codes"] == "uint8"
    assert types["ids_codes"] == "uint16"
    assert types["features_codes"] == "float16"
    assert sum("features" in name for name in types) == 1  # two signatures read it
    assert before["by_dtype"]["float32"]["numbers"] == sum(
        a.size for a in (EMBEDDINGS, ITEMS, LISTS, FEATURES)
    )
    assert after["variable_bytes"] < before["variable_bytes"] / 2.5


def test_zeros_are_counted_in_the_file(tmp_path: Path) -> None:
    module = tf.Module()
    module.kernel = tf.Variable(tf.constant([[0.0, 1.0], [0.0, 0.0]]), name="kernel")
    tf.saved_model.save(module, str(tmp_path))
    assert [a["zero_share"] for a in read_back(tmp_path)["arrays"]] == [0.75]


@pytest.mark.slow
def test_loads_where_there_is_only_tensorflow(folders: tuple[Path, Path]) -> None:
    code = f"""
import sys
for name in ("trainer", "core", "tfx", "tf_keras", "tensorflow_model_optimization"):
    sys.modules[name] = None  # importing it now fails
import tensorflow as tf
model = tf.saved_model.load({str(folders[1])!r})
print(model.signatures["features"](names=tf.constant(["item-7"]))["features"][0, 0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    half = FEATURES.astype(np.float16)
    assert f"{float(half[7, 0])}"[:5] in done.stdout


def test_a_plan_without_quantization_keeps_every_number(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    plan = StoragePlan(quantize=False)
    CompactModel(tf.saved_model.load(str(folders[0])), plan).save(tmp_path)
    asked: dict[str, Any] = {"names": tf.constant(["item-7", "item-150"])}
    plain, same = (
        tf.saved_model.load(str(path)).signatures["score"](**asked)
        for path in (folders[0], tmp_path)
    )
    for name, values in plain.items():
        np.testing.assert_allclose(same[name], values, rtol=1e-6, err_msg=name)
