"""Nothing of ours, of Keras or of TF Transform is rewritten before it is traced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tensorflow as tf
import tf_keras
from tensorflow.python.autograph.core import config
from tensorflow.python.autograph.pyct import transpiler

from trainer.traced import spare_libraries, traced

TRAINER = Path(__file__).parents[2] / "trainer"


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the functions that AutoGraph rewrites."""
    names: list[str] = []
    transform = transpiler.PyToPy.transform_function

    def noted(self, function, context):
        names.append(f"{function.__module__}.{function.__qualname__}")
        return transform(self, function, context)

    monkeypatch.setattr(transpiler.PyToPy, "transform_function", noted)
    monkeypatch.setattr(config, "CONVERSION_RULES", config.CONVERSION_RULES)
    return names


class Doubled(tf_keras.layers.Layer):
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * 2.0


@pytest.mark.slow
def test_a_traced_function_and_its_layers_are_not_rewritten(rewritten) -> None:
    layer = Doubled()
    # Control: TensorFlow's own does rewrite them.
    assert tf.function(lambda x: layer(x) + 1.0)(tf.constant(3.0)).numpy() == 7.0
    assert any("Doubled.call" in name for name in rewritten)
    rewritten.clear()
    spec = [tf.TensorSpec([None], tf.float32, name="numbers")]
    function = traced(lambda x: layer(x) + 1.0, input_signature=spec)
    assert function(tf.constant([3.0])).numpy().tolist() == [7.0]
    assert rewritten == []


def test_names_of_the_arguments_stay() -> None:
    def add(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        return left + right

    spec = tf.TensorSpec([], tf.float32)
    concrete = traced(add).get_concrete_function(left=spec, right=spec)
    names = [tensor.name for tensor in concrete.inputs]
    assert names == ["left:0", "right:0"]


def test_a_branch_on_a_value_is_refused() -> None:
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        traced(lambda x: 1 if x > 0 else 2)(tf.constant(1.0))


def test_keras_own_functions_are_passed_over(rewritten) -> None:
    spare_libraries()
    spare_libraries()  # a second time changes nothing
    assert len(set(map(str, config.CONVERSION_RULES))) == len(config.CONVERSION_RULES)
    model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.fit(tf.ones([4, 2]), tf.ones([4, 1]), verbose=0)
    inner = [n for n in rewritten if n.startswith("tf_keras.")]
    # `fit` asks for its outermost function itself; nothing below it is rewritten.
    assert {n.rpartition(".")[2] for n in inner} <= {"train_function"}


def test_the_trainer_traces_through_this_module() -> None:
    direct = {
        str(path.relative_to(TRAINER))
        for path in TRAINER.rglob("*.py")
        if re.search(r"\btf\.function\(", path.read_text("utf-8"))
    }
    # TFRS's task does need AutoGraph.
    assert direct == {"traced.py", "retriever/model.py"}
