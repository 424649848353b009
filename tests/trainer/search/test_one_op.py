"""Conditionals that are not lowered answer as others do."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from trainer.one_op import one_op


def size_of(texts: tf.Tensor) -> tf.Tensor:
    branch = tf.minimum(tf.size(texts), 2)
    return tf.switch_case(
        branch, [lambda: "none", lambda: texts[0], lambda: tf.strings.join(["many"])]
    )


def kept_size_of(texts: tf.Tensor) -> tf.Tensor:
    with one_op():
        return size_of(texts)


def lowered(function: tf.types.experimental.PolymorphicFunction) -> list[bool]:
    """Of each conditional, whether TensorFlow is asked to lower it."""
    graph = function.get_concrete_function(tf.TensorSpec([None], tf.string)).graph
    found = [
        op for op in graph.get_operations() if op.type in ("Case", "StatelessCase")
    ]
    return ["_lower_using_switch_merge" in op.node_def.attr for op in found]


def test_only_conditionals_inside_are_kept() -> None:
    assert lowered(tf.function(kept_size_of)) == [False]
    assert lowered(tf.function(size_of)) == [True]


def test_a_kept_conditional_takes_the_right_branch_when_saved(tmp_path: Path) -> None:
    module = tf.Module()
    module.answer = tf.function(
        kept_size_of, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for texts, expected in (([], b"none"), (["mug"], b"mug"), (["a", "b"], b"many")):
        assert loaded.answer(tf.constant(texts, tf.string)).numpy() == expected
