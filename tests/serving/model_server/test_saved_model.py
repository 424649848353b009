"""What a model needs of TensorFlow's executors, whatever its graph holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serving.model_server.saved_model import LoadedModel

X = np.array([1.0, 2.0], np.float32)


@pytest.fixture
def old_control_flow() -> Iterator[None]:
    """As TensorFlow 1 wrote graphs; undone after the test."""
    tf.compat.v1.disable_control_flow_v2()
    yield
    tf.compat.v1.enable_control_flow_v2()


def ask(path: Path) -> np.ndarray:
    model = LoadedModel(name="model", version=1, path=path)
    signature = model.signature("")
    answers = [signature.run([X])[0] for _ in range(2)]
    model.close()
    assert np.array_equal(*answers)
    return answers[0]


def test_loops_and_branches_are_run(tmp_path: Path) -> None:
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def doubled_three_times(x: tf.Tensor) -> dict[str, tf.Tensor]:
        _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2), [0, x])
        return {"y": tf.cond(tf.reduce_sum(x) > 0, lambda: y + 1, lambda: y - 1)}

    tf.saved_model.save(module, str(tmp_path / "1"), signatures=doubled_three_times)
    assert ask(tmp_path / "1").tolist() == [9.0, 17.0]


@pytest.mark.usefixtures("old_control_flow")
@pytest.mark.parametrize("by_reference", [False, True])
def test_a_model_of_tensorflow_1_is_run(tmp_path: Path, by_reference: bool) -> None:
    """`Switch`, `Merge` and variables by reference need the general executor."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None])
        one = v1.get_variable("one", initializer=1.0, use_resource=not by_reference)
        _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2), [0, x])
        y = tf.cond(tf.reduce_sum(x) > 0, lambda: y + one, lambda: y - one)
        session.run(v1.global_variables_initializer())
        definition = v1.saved_model.signature_def_utils.predict_signature_def(
            {"x": x}, {"y": y}
        )
        builder = v1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": definition}
        )
        builder.save()
    assert ask(tmp_path / "1").tolist() == [9.0, 17.0]
