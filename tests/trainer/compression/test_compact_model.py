"""A model over stored codes answers as the model that NumPy makes of the codes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.inspect.gpus import GPUS
from serving.inspect.hot_function import hot_function
from serving.inspect.inspection import inspect_model
from trainer.compression.compact_model import CompactModel
from trainer.compression.plan import StoragePlan
from trainer.compression.quantize import quantize, quantize_in_blocks
from trainer.compression.read_back import read_back

pytestmark = pytest.mark.slow  # models are saved and loaded

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


AT_EACH_USE = StoragePlan(half=("feat*",), blocks={"lists": 30})
AT_LOAD = dataclasses.replace(AT_EACH_USE, expand_bytes=4 * D * N)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    spec = tf.TensorSpec([None], tf.string, name="names")
    signatures = {
        "score": tf.function(world.score).get_concrete_function(names=spec),
        "features": tf.function(world.features_of).get_concrete_function(names=spec),
    }
    folder = tmp_path_factory.mktemp("plain")
    tf.saved_model.save(world, str(folder), signatures=signatures)
    return folder


@pytest.fixture(scope="module", params=[AT_EACH_USE, AT_LOAD], ids=["use", "load"])
def folders(
    request: pytest.FixtureRequest,
    plain: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path]:
    compact = tmp_path_factory.mktemp("compact")
    CompactModel(tf.saved_model.load(str(plain)), request.param).save(compact)
    return plain, compact


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


def test_loads_where_there_is_only_tensorflow(folders: tuple[Path, Path]) -> None:
    code = f"""
import sys
for name in ("trainer", "core", "tfx", "tf_keras", "tensorflow_model_optimization"):
    sys.modules[name] = None  # importing it now fails
import tensorflow as tf
path, names = {str(folders[1])!r}, ["item-7"]
model = tf.saved_model.load(path).signatures["score"](names=tf.constant(names))
print(float(model["features"][0, 0]), float(model["scores"][0, 0]))
with tf.Graph().as_default(), tf.compat.v1.Session() as session:  # as in TF Serving
    loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    score = loaded.signature_def["score"]
    fed = {{score.inputs["names"].name: names}}
    for output in ("features", "scores"):
        print(session.run(score.outputs[output].name, fed)[0, 0])
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
    codes = quantize(EMBEDDINGS, 0).values(), quantize(ITEMS, 1).values()
    expected = [float(FEATURES.astype(np.float16)[7, 0]), codes[0][7] @ codes[1][:, 0]]
    found = [float(text) for text in done.stdout.split()]
    np.testing.assert_allclose(found, expected * 2, rtol=1e-4)


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


def test_matrices_become_numbers_once_where_they_are_small(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    loaded = tf.saved_model.load(str(folders[0]))
    # Read whole: the items, 4 * D * N bytes. Lists, ids and features are gathered only.
    assert CompactModel(loaded, AT_EACH_USE).expanded_bytes == 0
    assert CompactModel(loaded, AT_LOAD).expanded_bytes == 4 * D * N
    smaller = dataclasses.replace(AT_LOAD, expand_bytes=4 * D * N - 1)
    assert CompactModel(loaded, smaller).expanded_bytes == 0


def test_rows_of_codes_are_gathered_by_kernels_that_a_gpu_has(
    folders: tuple[Path, Path],
) -> None:
    found = inspect_model(folders[1], GPUS["l4"], measure=False)
    report = {each.name: each for each in found.signatures}["score"]
    gathered = {row.types for row in report.ops if row.op == "ResourceGather"}
    assert {("int8",), ("uint8",), ("uint16",)} <= gathered
    on_host = {(row.op, *row.types) for row in report.fallbacks}
    # Columns of a matrix that stays codes: along its second axis there is no kernel.
    assert on_host <= {("GatherV2", "int8")}


def test_the_hot_path_can_be_cut_out(
    folders: tuple[Path, Path], answers: dict[str, np.ndarray]
) -> None:
    hot = hot_function(folders[1], "score")
    given = hot.look_up({"names": np.array(["item-7", "item-150"], object)})
    found = [t.numpy() for t in hot.function(*map(tf.constant, given))]
    alike = [each for each in found if each.shape == answers["scores"].shape]
    assert any(np.allclose(each, answers["scores"], atol=1e-5) for each in alike)


class Checked(tf.Module):
    """A signature with an assertion that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.table = tf.Variable(EMBEDDINGS, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rows")])
    def take(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_less(rows, 5, message="rows are below five")
        return {"vectors": tf.gather(self.table, rows)}


def test_assertions_stay(tmp_path: Path) -> None:
    checked = Checked()
    tf.saved_model.save(checked, str(tmp_path / "plain"), {"take": checked.take})
    loaded = tf.saved_model.load(str(tmp_path / "plain"))
    CompactModel(loaded, AT_LOAD).save(tmp_path / "compact")
    take = tf.saved_model.load(str(tmp_path / "compact")).signatures["take"]
    assert take(rows=tf.constant([4]))["vectors"].shape == (1, D)
    with pytest.raises(tf.errors.InvalidArgumentError, match="below five"):
        take(rows=tf.constant([5]))
