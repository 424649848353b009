"""From the items of histories to others, by the neighbour lists."""

from __future__ import annotations

import tensorflow as tf

from trainer.funnel import history_features
from trainer.funnel.constants import TableConstants
from trainer.funnel.integer_tables import integers
from trainer.funnel.scores import scatter_rows
from trainer.funnel.state import Person


def neighbour_links(
    person: Person, kind: str, constants: TableConstants, *, static_shapes: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Neighbours of the histories' items, in the lists of one group.

    Args:
      kind: the group, a key of `constants.groups`.
      static_shapes: look up all slots of a history, not those that count alone.

    Returns:
      owners [V, 1] int32 places in the batch; [V, N] int32 ids as the group has them;
      [V, N] float32 scores by the history's weights.
    """
    history, group = person.history, constants.groups[kind]
    place, rows = history_features.slots_that_count(
        history, person.weights, kind, static_shapes=static_shapes
    )
    weights = tf.gather(tf.reshape(person.weights[kind], [-1]), place)[:, None]
    owners = place // tf.shape(history.rows)[1]
    ids = integers(tf.gather(group.ids, rows))
    return owners[:, None], ids, tf.gather(group.values, rows) * weights


def score_rows(
    person: Person, constants: TableConstants, *, static_shapes: bool
) -> list[tf.Tensor]:
    """[B, S_i, n + 1] scores of every item by each group's lists, OWN behind the last.

    A distinct item counts once, whatever its visits. One scatter for all groups would
    be slower: a person's rows then leave the processor's cache.
    """
    rows = person.history.rows
    width, batch = constants.num_items + 1, tf.shape(rows)[0]
    groups = list(constants.groups)
    scattered = []
    for kind in groups:
        last = kind == groups[-1]
        sources = len(constants.groups[kind].sources) + last
        owners, ids, values = neighbour_links(
            person, kind, constants, static_shapes=static_shapes
        )
        starts = tf.range(batch)[:, None] * (sources * width)
        own = None
        if last:
            own = (rows + starts + (sources - 1) * width, person.own)
        scattered.append(
            scatter_rows(
                ids + owners * (sources * width),
                values,
                batch=batch,
                sources=sources,
                width=width,
                more=own,
            )
        )
    return scattered
