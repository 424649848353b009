"""Item tables as of every cut-off, from the clean Examples; free of TFX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from core import features
from core.config import ShopConfig, SplitConfig
from core.config.neighbours import NeighboursConfig
from core.errors import InputDataError
from core.progress import advance
from trainer.data.examples import read_split
from trainer.funnel.tables import build_item_tables, build_title_tables

STEP = "ItemNeighbours"
_EVENT_COLUMNS = [
    features.USER_ID,
    features.ITEM_ID,
    features.EVENT,
    features.TIMESTAMP,
]


def table_dir(uri: str | Path, cutoff: int) -> Path:
    """Folder of the tables as of `cutoff` inside the artifact."""
    return Path(uri) / f"as_of={cutoff}"


def cutoffs_of(splits: SplitConfig) -> tuple[int, ...]:
    """Cut-offs that need tables, oldest first: the grid and T2."""
    return tuple(sorted({*splits.grid, splits.test_start}))


def build_tables(
    items_uri: str,
    events_uri: str,
    event_splits: Sequence[str],
    out_uri: str,
    *,
    shop: ShopConfig,
    splits: SplitConfig,
    config: NeighboursConfig,
) -> list[Path]:
    """Writes the tables of all cut-offs and returns their folders.

    Raises:
      InputDataError: no event lies before the end of the training data.
    """
    items = read_split(items_uri, "train")
    parts = [read_split(events_uri, name, _EVENT_COLUMNS) for name in event_splits]
    events = pa.concat_tables(parts)
    stamps = events.column(features.TIMESTAMP).to_numpy()
    if not (stamps < splits.test_start).any():
        raise InputDataError(
            "`events` must hold events before `SplitConfig.test_start` "
            f"({splits.test_start}). Received: {events.num_rows} events, none before."
        )
    titles = build_title_tables(items, config)
    folders: list[Path] = []
    cutoffs = cutoffs_of(splits)
    for cutoff in cutoffs:
        tables = build_item_tables(
            items, events, as_of=cutoff, shop=shop, config=config, titles=titles
        )
        folders.append(tables.save(table_dir(out_uri, cutoff)).parent)
        count = int((stamps < cutoff).sum())
        note = f"{items.num_rows:,} items, {count:,} events at the last of the cut-offs"
        advance(STEP, len(folders), len(cutoffs), note)
    return folders
