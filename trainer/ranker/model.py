"""The ranker as a functional Keras model: normalized features in, head logits out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from core.config.ranker import RankerConfig
from core.errors import ConfigError
from trainer.ranker.layers import crosses
from trainer.ranker.layers.dropout import SeededDropout
from trainer.ranker.layers.mixture import GatedSum

SCORE_HEAD = "score"
# Of rates: no start is nearer to "never" or "always", whatever a sample says.
_LEAST_RATE = 1e-5


def build_ranker(
    *,
    num_features: int,
    event_types: tuple[str, ...],
    config: RankerConfig,
    architecture: str,
    event_rates: Sequence[float] | None = None,
) -> tf_keras.Model:
    """A model of [N, num_features] normalized float32 to [N, num_heads] logits.

    The heads are `head_names(event_types, config)`. The layers are Dense, Activation,
    Multiply, Add and Concatenate, beside dropout (none where `config.dropout` is 0) and
    the gates of `mmoe`: a graph that TF-MOT can prune and quantize.

    Args:
      num_features: of a row.
      event_types: of the shop.
      config: settings.
      architecture: one of `ARCHITECTURES`.
      event_rates: share of the training rows with each event type, in [0, 1], which
        each event's head starts near. None: at random, for a model whose weights are
        set later.
    """
    inputs = tf_keras.Input([num_features], name="features")
    width, heads = config.hidden_units[-1], head_names(event_types, config)
    trunk = _dense_stack(inputs, config.hidden_units[:-1], config, "trunk")
    crossed = (
        crosses.crosses(
            inputs, count=config.num_crosses, rank=config.cross_rank, name="cross"
        )
        if architecture == "dcn"
        else None
    )
    if config.sharing == "mmoe":
        experts = [
            _dense_stack(trunk, (width,), config, f"expert_{i}")
            for i in range(config.num_experts)
        ]
        bottoms = [_gated(inputs, experts, name) for name in heads]
    else:
        bottoms = [_dense_stack(trunk, (width,), config, "bottom")] * len(heads)
    rates = dict(zip(event_types, event_rates, strict=True)) if event_rates else {}
    logits = []
    for name, bottom in zip(heads, bottoms, strict=True):
        if crossed is not None:
            bottom = tf_keras.layers.Concatenate(name=f"join_{name}")([bottom, crossed])
        logits.append(_head(name, rates.get(name))(bottom))
    if len(logits) > 1:
        outputs = tf_keras.layers.Concatenate(name="logits")(logits)
    else:
        outputs = logits[0]
    return tf_keras.Model(inputs, outputs, name=f"ranker_{architecture}")


def head_names(event_types: tuple[str, ...], config: RankerConfig) -> tuple[str, ...]:
    """Columns of the model's output: the score's own head, if any, then the events'."""
    own = (SCORE_HEAD,) if config.score_head == "own" else ()
    return own + event_types


def split_heads(
    logits: tf.Tensor, event_types: tuple[str, ...], config: RankerConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """The ranking score [...] and the event logits [..., T] of the model's output.

    The "weighted" score is log(sum_t weight_t sigmoid(logit_t)), a monotone transform
    of the expected value of the events.
    """
    if config.score_head == "own":
        return logits[..., 0], logits[..., 1:]
    weights = tf.constant(event_weights(event_types, config), tf.float32)
    return tf.math.log(tf.sigmoid(logits) @ weights[:, None] + 1e-9)[..., 0], logits


def event_weights(
    event_types: tuple[str, ...], config: RankerConfig
) -> tuple[float, ...]:
    """Each event type's weight in the "weighted" score.

    Raises:
      ConfigError: the number of weights is not the number of event types, or the target
        event is not among them.
    """
    if config.target_event not in event_types:
        raise ConfigError(
            f"`RankerConfig.target_event` must be one of the shop's event types "
            f"({', '.join(event_types)}). Received: {config.target_event!r}."
        )
    if not config.event_weights:
        return tuple(float(e == config.target_event) for e in event_types)
    if len(config.event_weights) != len(event_types):
        raise ConfigError(
            f"`RankerConfig.event_weights` must hold one weight per event type "
            f"({', '.join(event_types)}). Received: {config.event_weights!r}."
        )
    return config.event_weights


def inference_copy(
    model: tf_keras.Model,
    *,
    event_types: tuple[str, ...],
    config: RankerConfig,
    architecture: str,
) -> tf_keras.Model:
    """The same function without dropout layers; shares nothing with `model`."""
    copy = build_ranker(
        num_features=int(model.input_shape[-1]),
        event_types=event_types,
        config=config.replace(dropout=0.0),
        architecture=architecture,
    )
    # By name: without dropout the layers come in another order.
    for layer in copy.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return copy


def restart_noise(model: tf_keras.Model, seed: int) -> None:
    """Starts the noise of all dropout layers anew, each from a seed of its own."""
    layers = [x for x in model.layers if isinstance(x, SeededDropout)]
    for i, layer in enumerate(layers):
        layer.restart(seed * 1009 + i)


def _head(name: str, rate: float | None) -> tf_keras.layers.Dense:
    """A head that starts near `rate` on every row, or, without it, at random.

    From p = .5 a head of rare events learns, first of all, to go down, fastest where
    activations are large; random weights rank those rows either way. A short fit ends
    there, with the best rows at the bottom. So the bias is the rate's log odds, and the
    random weights are as much smaller than Glorot's as what moves them: p (1 - p).
    """
    if rate is None:
        return tf_keras.layers.Dense(1, name=f"head_{name}")
    rate = min(max(rate, _LEAST_RATE), 1.0 - _LEAST_RATE)
    return tf_keras.layers.Dense(
        1,
        kernel_initializer=tf_keras.initializers.VarianceScaling(
            (4.0 * rate * (1.0 - rate)) ** 2, mode="fan_avg", distribution="uniform"
        ),
        bias_initializer=tf_keras.initializers.Constant(math.log(rate / (1.0 - rate))),
        name=f"head_{name}",
    )


def _dense_stack(
    x: tf.Tensor, widths: tuple[int, ...], config: RankerConfig, name: str
) -> tf.Tensor:
    for i, width in enumerate(widths):
        x = tf_keras.layers.Dense(width, name=f"{name}_{i}")(x)
        x = tf_keras.layers.Activation("swish", name=f"{name}_{i}_swish")(x)
        if config.dropout:
            x = SeededDropout(config.dropout, name=f"{name}_{i}_dropout")(x)
    return x


def _gated(inputs: tf.Tensor, experts: list[tf.Tensor], name: str) -> tf.Tensor:
    gate = tf_keras.layers.Dense(
        len(experts), activation="softmax", name=f"gate_{name}"
    )(inputs)
    return GatedSum(name=f"mixture_{name}")([gate, *experts])
