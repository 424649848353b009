"""Graphs small enough to count by hand."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from core.errors import ArtifactError, ConfigError
from serving.inspect import cost, flat_graph, hot_path
from serving.inspect.gpus import GPUS, gpu_named
from serving.inspect.inspection import inspect_model
from serving.inspect.kernels import Place
from serving.model_server.warmup import WARMUP_FILE


class Nested(tf.Module):
    """ids, rows, vectors, scores, the best two ids: in functions of functions."""

    def __init__(self) -> None:
        super().__init__()
        ids = tf.constant(["a", "b", "c"])
        self.rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(ids, tf.range(3)), 0
        )
        self.ids = ids
        self.vectors = tf.Variable(tf.eye(3, 4))

    @tf.function
    def scores(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.matmul(tf.gather(self.vectors, rows), self.vectors, transpose_b=True)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="item_id")])
    def page(self, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = self.scores(self.rows.lookup(tf.strings.lower(item_id)))
        # The same function again: its body counts twice.
        scores += self.scores(tf.zeros_like(self.rows.lookup(item_id)))
        best = tf.math.top_k(scores, 2)
        return {"item_ids": tf.gather(self.ids, best.indices), "scores": best.values}


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nested")
    module = Nested()
    tf.saved_model.save(module, str(path), signatures={"page": module.page})
    return path


def flat(model: Path) -> flat_graph.FlatGraph:
    graph = flat_graph.load_meta_graph(model)
    outputs = graph.signature_def["page"].outputs.values()
    return flat_graph.flatten(graph.graph_def, [info.name for info in outputs])


def test_calls_are_opened_as_often_as_they_are_made(nested) -> None:
    found = Counter(node.op for node in flat(nested).values())
    wanted = {"MatMul": 2, "ResourceGather": 2, "TopKV2": 1, "StringLower": 1}
    assert {op: found[op] for op in wanted} == wanted
    assert found["LookupTableFindV2"] == 2
    assert not {"PartitionedCall", "StatefulPartitionedCall"} & set(found)


def test_words_hot_path_and_answer(nested) -> None:
    graph = flat(nested)
    parts = hot_path.parts(graph)
    found = {(graph[name].op, part) for name, part in parts.items()}
    for op in ("StringLower", "LookupTableFindV2", "HashTableV2"):
        assert (op, hot_path.Part.WORDS) in found
    for op in ("ResourceGather", "MatMul", "TopKV2"):
        assert {part for name, part in found if name == op} == {hot_path.Part.HOT}
    assert ("GatherV2", hot_path.Part.ANSWER) in found  # of ids by row


def test_branches_hang_before_what_they_feed(tmp_path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def page(x: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.cond(tf.size(x) > 2, lambda: tf.math.top_k(x, 1).values, lambda: -x)
        return {"y": tf.sqrt(y)}

    module = tf.Module()
    module.page = page
    tf.saved_model.save(module, str(tmp_path), signatures={"page": page})
    ops = {node.op for node in flat(tmp_path).values()}
    assert {"TopKV2", "Neg", "Sqrt"} <= ops


def test_costs_are_those_of_the_shapes_that_ran() -> None:
    with tf.Graph().as_default() as graph:
        left = tf.compat.v1.placeholder(tf.float32, [None, 3])
        product = tf.matmul(left, tf.ones([5, 3]), transpose_b=True)  # [2, 5]
        best = tf.math.top_k(tf.sqrt(product), 2).values  # [2, 2]
        taken = tf.gather(best, [1, 0, 1])  # [3, 2]
        with tf.compat.v1.Session(graph=graph, config=cost.session_config()) as session:
            metadata = cost.trace(session, [taken.name], {left.name: np.ones((2, 3))})
    by_op = {op.op: op for op in cost.costs(metadata)}
    assert by_op["MatMul"].flops == 2 * 2 * 3 * 5
    assert by_op["MatMul"].bytes == 4 * (2 * 3 + 5 * 3 + 2 * 5)
    assert (by_op["Sqrt"].flops, by_op["Sqrt"].bytes) == (10, 4 * 20)
    assert by_op["TopKV2"].flops == 10
    # input, the scalar k, values and int32 indices
    assert by_op["TopKV2"].bytes == 4 * (10 + 1 + 4 + 4)
    assert (by_op["GatherV2"].flops, by_op["GatherV2"].bytes) == (0, 2 * 4 * 6)
    assert by_op["MatMul"].place is Place.GPU


@pytest.mark.parametrize(
    ("work", "flops"),
    [
        # [2, 6, 8] x [8, 4, 5] over 8: an attention's projection
        (lambda x: tf.einsum("bth,hnd->btnd", x, tf.ones([8, 4, 5])), 2 * 12 * 20 * 8),
        (lambda x: tf.einsum("...h,hd->...d", x, tf.ones([8, 5])), 2 * 12 * 5 * 8),
        (lambda x: tf.matmul(x, x, transpose_b=True), 2 * 2 * 6 * 6 * 8),
        (lambda x: tf.nn.conv1d(x, tf.ones([3, 8, 7]), 1, "SAME"), 2 * 12 * 7 * 3 * 8),
    ],
    ids=["einsum", "ellipsis", "itself", "convolution"],
)
def test_every_kind_of_product_counts_in_full(work, flops) -> None:
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, None, 8], name="x")
        y = work(x)
    with tf.compat.v1.Session(graph=graph, config=cost.session_config()) as session:
        ran = cost.trace(session, [y.name], {"x:0": np.ones([2, 6, 8], np.float32)})
    products = [found for found in cost.costs(ran) if found.product_of]
    assert sum(found.flops for found in products) == flops


ROWS = np.arange(8, dtype=np.int32)[:, None]


@pytest.mark.parametrize(
    ("work", "flops"),
    [
        (lambda x, rows: tf.scatter_nd(rows, x, [8, 16]), 8 * 16),
        # 8 x 16 additions, then all 100,000 x 16 numbers are summed.
        (
            lambda x, rows: tf.reduce_sum(
                tf.tensor_scatter_nd_add(tf.ones([100_000, 16]), rows, x)
            ),
            8 * 16 + 1_600_000,
        ),
        (
            lambda x, rows: tf.tensor_scatter_nd_update(tf.ones([50, 16]), rows, x),
            8 * 16,
        ),
        (
            lambda x, rows: tf.raw_ops.RaggedBincount(
                splits=tf.constant([0, 3, 8], tf.int64),  # two rows of 3 and 5
                values=rows[:, 0],
                size=100,
                weights=tf.zeros([0]),
            ),
            8,
        ),
    ],
    ids=["scatter", "add", "update", "bincount"],
)
def test_scatters_count_what_they_put_in(work, flops) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 16])
        rows = tf.compat.v1.placeholder(tf.int32, [None, 1])
        y = work(x, rows)
        with tf.compat.v1.Session(graph=graph, config=cost.session_config()) as session:
            feeds = {x.name: np.ones([8, 16], np.float32), rows.name: ROWS}
            metadata = cost.trace(session, [y.name], feeds)
    assert sum(op.flops for op in cost.costs(metadata)) == flops


def test_products_run_at_the_rate_of_their_type() -> None:
    with tf.Graph().as_default() as graph:
        left = tf.compat.v1.placeholder(tf.float32, [None, 3])
        half = tf.cast(left, tf.bfloat16)
        product = tf.matmul(half, tf.ones([3, 5], tf.bfloat16))  # [2, 5]
        with tf.compat.v1.Session(graph=graph, config=cost.session_config()) as session:
            metadata = cost.trace(session, [product.name], {left.name: np.ones((2, 3))})
    by_op = {op.op: op for op in cost.costs(metadata)}
    assert by_op["MatMul"].product_of == "bfloat16"
    assert by_op["MatMul"].bytes == 2 * (2 * 3 + 3 * 5 + 2 * 5)
    assert by_op["Cast"].product_of == ""
    # The makers' data sheets: a T4's tensor cores know float16 alone.
    assert GPUS["h100"].product_rate("bfloat16") == 989e12
    assert (
        GPUS["h100"].product_rate("float32") == GPUS["h100"].product_rate("") == 67e12
    )
    assert GPUS["t4"].product_rate("float16") == 65e12
    assert GPUS["t4"].product_rate("bfloat16") == 8.1e12


def test_what_crosses_between_host_and_gpu_is_counted() -> None:
    with tf.Graph().as_default() as graph:
        rows = tf.compat.v1.placeholder(tf.int32, [None])
        table = tf.compat.v1.placeholder(tf.float32, [None, 2])
        taken = tf.gather(table, rows + 1)  # the sum is made in host memory
        with tf.compat.v1.Session(graph=graph, config=cost.session_config()) as session:
            feeds = {rows.name: np.array([0, 1, 2]), table.name: np.ones((9, 2))}
            metadata = cost.trace(session, [taken.name], feeds)
    by_op = {op.op: op for op in cost.costs(metadata)}
    assert by_op["AddV2"].place is Place.HOST_MEMORY
    assert by_op["GatherV2"].moved == 4 * 3 + 4  # the rows, and the scalar axis


def test_without_recorded_requests_nothing_is_measured(nested) -> None:
    found = inspect_model(nested, GPUS["t4"])
    (page,) = found.signatures
    assert page.name == "page" and page.costs == () and page.fallbacks == ()
    assert found.to_dict()["signatures"][0]["fallbacks"] == []


def record(model: Path, signature: str, inputs: list[str]) -> None:
    """Puts a request with a string for each input into a model."""
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name in inputs:
        request.inputs[name].CopyFrom(tf.make_tensor_proto(["a"]))
    (model / WARMUP_FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(model / WARMUP_FILE)) as writer:
        writer.write(log.SerializeToString())


def test_a_request_without_a_signature_s_name_means_the_default(tmp_path) -> None:
    # TensorFlow Serving's model.proto: ModelSpec.signature_name, "serving_default".
    module = Nested()
    tf.saved_model.save(module, str(tmp_path), signatures=module.page)
    record(tmp_path, "", ["item_id"])
    (report,) = inspect_model(tmp_path, GPUS["l4"]).signatures
    assert report.name == "serving_default"
    (found,) = report.costs
    # Twice [1, 4] x [4, 3], their sum, and the best of three.
    assert (found.batch_size, found.flops) == (1, 2 * 2 * 4 * 3 + 3 + 3)


@pytest.mark.parametrize(
    ("signature", "inputs", "said"),
    [
        ("pages", ["item_id"], "Received: signature `pages`; there are page"),
        ("page", ["item"], "Received: `item` of `page`; there are item_id"),
    ],
)
def test_recorded_requests_that_do_not_fit_the_model_are_named(
    nested, tmp_path, signature, inputs, said
) -> None:
    model = shutil.copytree(nested, tmp_path / "model")
    record(model, signature, inputs)
    with pytest.raises(ArtifactError, match=re.escape(said)):
        inspect_model(model, gpu_named("l4"))


@pytest.mark.parametrize("size", [0, 1000])
def test_a_file_that_broke_off_is_named_with_what_to_do(nested, tmp_path, size) -> None:
    whole = (nested / "saved_model.pb").read_bytes()
    (tmp_path / "saved_model.pb").write_bytes(whole[:size])
    said = (
        f"saved_model.pb` must hold a whole SavedModel with a graph. Received: {size}"
    )
    with pytest.raises(ArtifactError, match=f"{said} bytes.* push the version again"):
        inspect_model(tmp_path, GPUS["t4"])


def test_a_folder_without_a_model_and_an_unknown_gpu_say_what_to_do(tmp_path) -> None:
    with pytest.raises(ArtifactError, match="version folder"):
        inspect_model(tmp_path, GPUS["t4"])
    with pytest.raises(ConfigError, match="l4"):
        gpu_named("abacus")
