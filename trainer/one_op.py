"""Conditionals of the graph that cost a small request little."""

from __future__ import annotations

from contextlib import AbstractContextManager

import tensorflow as tf


def one_op() -> AbstractContextManager[None]:
    """While it is open, `tf.cond` and `tf.switch_case` stay one op each.

    TensorFlow lowers them to `Switch` and `Merge` so that branches start before all
    their inputs are there. Then every op of a branch that is not taken, and of what
    stands around it, passes through the slower of two executors. As one op a branch is
    a function that is called or not, which costs ten microseconds and no more.

    The executor that is named here is that of functions called inside; there are none.
    """
    kept: AbstractContextManager[None] = tf.experimental.function_executor_type(
        "SINGLE_THREADED_EXECUTOR"
    )
    return kept
