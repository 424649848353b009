"""A moment inside the graph: the tensors that training and serving share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Moment(NamedTuple):
    """A batch of B persons at a time, with H history slots each, newest last."""

    user_ids: tf.Tensor  # [B] string, "" for a person without an id
    timestamps: tf.Tensor  # [B] int64, seconds UTC: the cut-off
    history_rows: tf.Tensor  # [B, H] int32 catalogue rows; num_items pads
    history_events: tf.Tensor  # [B, H] int32, index into event_types; -1 pads
    history_timestamps: tf.Tensor  # [B, H] int64, seconds UTC; 0 pads
    context: dict[str, tf.Tensor]  # name -> [B] string


def tower_inputs(moment: Moment, context_features: Sequence[str]) -> list[tf.Tensor]:
    """What the retriever's `embed_query` takes of a moment, in its order.

    Args:
      context_features: as the shop has them; one that the moment lacks is "".
    """
    empty = tf.fill(tf.shape(moment.user_ids), "")
    columns = [moment.context.get(name, empty) for name in context_features]
    context = tf.stack(columns, axis=1) if columns else empty[:, None][:, :0]
    return [
        moment.user_ids,
        moment.timestamps,
        moment.history_rows,
        moment.history_events,
        moment.history_timestamps,
        context,
    ]
