"""Neighbour lists without their tails."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from trainer.funnel.neighbours import Neighbours
from trainer.funnel.tables import ItemTables


def trim_tables(tables: ItemTables, entries: int, block: int) -> ItemTables:
    """Tables whose neighbour lists are `trim_lists`'."""
    trimmed = trim_lists(
        tables.neighbours, pad=tables.num_items, entries=entries, block=block
    )
    return dataclasses.replace(tables, neighbours=trimmed)


def trim_lists(
    neighbours: Mapping[str, Neighbours], *, pad: int, entries: int, block: int
) -> dict[str, Neighbours]:
    """Neighbour lists that hold about `entries` per item, over all sources.

    Columns are given `block` at a time to the source that gains most by them: the share
    of its summed scores that stands there. Lists are sorted, so what goes are the
    lowest scores, and a source that knows few neighbours gets few columns. No block
    lies across two sources.

    Args:
      neighbours: by source.
      pad: row number of no item.
      entries: 0 keeps every column with an entry. Each source keeps one block at least.
      block: columns that will share a scale; a source with fewer gets pads.
    """
    order = sorted(
        (
            (gain, name)
            for name, each in neighbours.items()
            for gain in _gains(each, block)
            if gain > 0
        ),
        reverse=True,
    )
    taken = dict.fromkeys(neighbours, 0)
    for _, name in order[: entries // block if entries else None]:
        taken[name] += 1
    return {
        name: _trimmed(each, max(taken[name], 1) * block, pad)
        for name, each in neighbours.items()
    }


def _gains(table: Neighbours, block: int) -> list[float]:
    """Share of the summed scores in each block of columns, never rising."""
    by_column = table.scores.sum(axis=0, dtype=np.float64)
    starts = np.arange(0, len(by_column), block)
    return (
        np.add.reduceat(by_column, starts) / max(float(by_column.sum()), 1e-12)
    ).tolist()


def _trimmed(table: Neighbours, width: int, pad: int) -> Neighbours:
    rows, scores = table.rows[:, :width], table.scores[:, :width]
    behind = ((0, 0), (0, width - scores.shape[1]))
    return Neighbours(
        rows=np.pad(rows, behind, constant_values=pad), scores=np.pad(scores, behind)
    )
