"""Neighbour lists without their tails."""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.funnel.neighbours import Neighbours
from trainer.funnel.tables import ItemTables


def trim_tables(tables: ItemTables, count: int, block: int) -> ItemTables:
    """Tables whose neighbour lists hold at most `count` entries, the highest.

    Columns that are empty for every item go too: a source that knows few neighbours is
    as narrow as its longest list. Widths are multiples of `block`, so that no block of
    columns lies across two sources; a list shorter than a block stays as it is.

    Args:
      count: 0 keeps every entry.
      block: columns that will share a scale.
    """
    trimmed = {
        name: _trimmed(each, count, block, tables.num_items)
        for name, each in tables.neighbours.items()
    }
    return dataclasses.replace(tables, neighbours=trimmed)


def _trimmed(table: Neighbours, count: int, block: int, pad: int) -> Neighbours:
    stored = table.scores.shape[1]
    longest = int((table.scores > 0).sum(axis=1).max(initial=0))
    wanted = min(longest, count) if count else longest
    width = min(-(-max(wanted, 1) // block) * block, -(-stored // block) * block)
    if width < block or stored < block:
        return table
    # Lists are sorted, best first, and padded behind.
    rows, scores = table.rows[:, :wanted], table.scores[:, :wanted]
    behind = ((0, 0), (0, width - wanted))
    return Neighbours(
        rows=np.pad(rows, behind, constant_values=pad), scores=np.pad(scores, behind)
    )
