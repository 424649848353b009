"""Why an item is on the page."""

from __future__ import annotations

import tensorflow as tf

from trainer.funnel.constants import TableConstants
from trainer.funnel.scores import pick_rows
from trainer.funnel.sources import OWN, POPULAR, SOURCES, TOWER
from trainer.funnel.state import FunnelState

# How much a shared or tower score must exceed a personal one to be named as the reason.
_IMPERSONAL = 0.5


def origins(
    rows: tf.Tensor, state: FunnelState, constants: TableConstants
) -> tf.Tensor:
    """[B, C] int32 index into SOURCES: what speaks for an item of rows most.

    What the person bought before is that; else the personal source in which the item
    stands highest, unless popularity or the tower speak for it far louder.

    Args:
      rows: [B, C] int32 catalogue rows of the state's items.
    """
    names = list(constants.sources)
    columns = state.columns(rows, constants.num_items)
    personal = tf.math.divide_no_nan(
        state.picked(columns)[:, : len(names)], state.best[:, : len(names), None]
    )
    bought_first = tf.constant([[2.0 if name == OWN else 0.0] for name in names])
    shared = tf.gather(constants.shared, rows, axis=1)
    parts = [
        tf.where(personal > 0, personal + bought_first, 0.0),
        tf.transpose(shared, [1, 0, 2]) * _IMPERSONAL,
    ]
    names += constants.shared_names
    if state.near is not None:
        parts.append(pick_rows(state.near[:, None], columns) * _IMPERSONAL)
        names.append(TOWER)
    best = tf.argmax(tf.concat(parts, axis=1), axis=1, output_type=tf.int32)
    return tf.gather([_source_index(name) for name in names], best)


def _source_index(name: str) -> int:
    """Place in SOURCES; the windows `popular_14`, ... are one source."""
    return SOURCES.index(POPULAR if name.startswith(POPULAR) else name)
