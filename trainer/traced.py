"""`tf.function` without AutoGraph, which has nothing to convert in this code.

AutoGraph rewrites every Python function that a traced one calls, at about 30 ms each:
half of the time to trace a funnel. No `if` or loop in this code depends on a tensor's
value; where one did, TensorFlow would refuse to trace it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.core import config

# TensorFlow leaves out Keras, for whose sake it says so of the module `keras` only.
_SPARED = ("tf_keras", "tensorflow_transform")


def traced(function: Callable[..., Any], **options: Any) -> Any:
    """A `tf.function` of Python as it stands.

    Args:
      function: to trace. Keras layers that it calls are not converted either.
      options: of `tf.function`, such as `input_signature`.
    """
    plain = tf.autograph.experimental.do_not_convert(function)
    return tf.function(plain, autograph=False, **options)


def spare_libraries() -> None:
    """Lets AutoGraph pass over libraries that trace functions of their own.

    Keras's `fit` and exports, TF Transform's layer and TFMA's metrics come to as many
    functions as ours do. There is no public setting for it.
    """
    known = {str(rule) for rule in config.CONVERSION_RULES}
    spared = (config.DoNotConvert(name) for name in _SPARED)
    new = [rule for rule in spared if str(rule) not in known]
    config.CONVERSION_RULES = (*new, *config.CONVERSION_RULES)
