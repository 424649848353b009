"""The Beam side of cleaning: events by user, then by item, then by user again.

Duplicates and bots show within one user's events, outliers within one item's. So events
are brought together by ranges of user ids; what passes the rules waits in a staging
file while each item's usual ranges are found from all groups; then every group is
clipped, joined with the catalogue and written. No step holds more than one group.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components import arrow_elements
from components.clean import clean_tables, clip_events, denormalize
from components.clean.split_events import split_events
from components.clean.winsorize import FloatArray, IntArray, UsualRanges
from core import features
from core.config.clean import CleanConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig
from core.whole_file import whole_file
from trainer.data import examples

# Catalogue rows and values by column, of the events of one group.
ItemValues = tuple[IntArray, dict[str, FloatArray]]
_VALUES = "values"
_SAMPLED_ROW_GROUPS = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleanTask:
    """What every worker needs to know."""

    items_path: str  # Parquet file of the clean catalogue, readable by every worker
    out_uri: str  # Examples of the clean events
    boundaries: tuple[str, ...]  # first user id of every bucket but the first
    shop: ShopConfig
    splits: SplitConfig
    config: CleanConfig
    latest_timestamp: int

    @property
    def num_buckets(self) -> int:
        return len(self.boundaries) + 1


def user_boundaries(
    groups: list[arrow_elements.RowGroup], num_buckets: int
) -> tuple[str, ...]:
    """First user ids of buckets 1, 2, …, so that all hold about as many events.

    Ranges of ids and not hashes: files in the order of buckets are sorted by user. Read
    from a sample of row groups; a user of many events may have a bucket alone.
    """
    if num_buckets < 2:
        return ()
    step = max(1, len(groups) // _SAMPLED_ROW_GROUPS)
    sample = pa.concat_tables([_read(g, [features.USER_ID]) for g in groups[::step]])
    users = sample.column(features.USER_ID).drop_null()
    users = users.take(pc.sort_indices(users))  # UTF-8 byte order
    places = [len(users) * bucket // num_buckets for bucket in range(1, num_buckets)]
    found = sorted({users[place].as_py() for place in places}) if len(users) else []
    return tuple(found)


def bucket_of(
    user_ids: pa.ChunkedArray, boundaries: tuple[str, ...]
) -> npt.NDArray[np.int64]:
    """[R] bucket of each row's user; without an id, the first."""
    codes, distinct = pd.factorize(user_ids.to_numpy())
    buckets = np.searchsorted(
        np.asarray(boundaries, object), np.asarray(distinct, object), side="right"
    )
    return np.append(buckets, 0).astype(np.int64)[codes]  # code -1: no id


class CleanEvents(beam.PTransform):  # type: ignore[misc]
    """Row groups of raw events → clean shards, rejected rows and counts, written.

    Below `.staging` of the artifact: `rejected-BUCKET.parquet`, `counts-BUCKET.json`.
    """

    def __init__(self, task: CleanTask):
        super().__init__()
        self._task = task

    def expand(self, groups: beam.PCollection) -> beam.PCollection:
        kept = (
            groups
            | "Spread" >> beam.Reshuffle()
            | "ReadAndBucket" >> beam.ParDo(_ReadAndBucket(self._task.boundaries))
            | "ByUsers" >> beam.GroupByKey()
            | "ApplyRules"
            >> beam.ParDo(_ApplyRules(self._task)).with_outputs(_VALUES, main="kept")
        )
        ranges = (
            kept[_VALUES]
            | "ByItems" >> beam.GroupByKey()
            | "UsualRanges" >> beam.Map(_ranges_of_group, self._task.config)
        )
        return kept.kept | "WriteBucket" >> beam.ParDo(
            _WriteBucket(self._task), beam.pvalue.AsList(ranges)
        )


class _ReadAndBucket(beam.DoFn):  # type: ignore[misc]
    """A row group → (bucket, its rows of the bucket's users)."""

    def __init__(self, boundaries: tuple[str, ...]):
        self._boundaries = boundaries

    def process(
        self, group: arrow_elements.RowGroup
    ) -> Iterator[tuple[int, arrow_elements.Piece]]:
        events = _read(group)
        buckets = bucket_of(events.column(features.USER_ID), self._boundaries)
        for bucket in np.unique(buckets):
            piece = events.filter(pa.array(buckets == bucket))
            yield int(bucket), (group[0], arrow_elements.to_bytes(piece))


class _WithCatalogue(beam.DoFn):  # type: ignore[misc]
    """Reads the clean catalogue once per worker."""

    def __init__(self, task: CleanTask):
        self._task = task
        self._items: pa.Table | None = None

    def setup(self) -> None:
        self._items = pq.read_table(self._task.items_path)


class _ApplyRules(_WithCatalogue):
    """A bucket's raw events → (bucket, file of those that pass) and item values."""

    def process(
        self, element: tuple[int, Iterable[arrow_elements.Piece]]
    ) -> Iterator[Any]:
        bucket, pieces = element
        task, items = self._task, self._items
        events = arrow_elements.joined(pieces)
        kept, rejected = clean_tables.clean_events(
            events, items, task.shop, task.config, task.latest_timestamp
        )
        rows = denormalize.catalogue_rows(kept, items)
        counts = clean_tables.counts(events, kept, rejected)
        if rejected.num_rows:
            name = f"rejected-{bucket:05d}.parquet"
            with _in_staging(task.out_uri, name) as hidden:
                pq.write_table(rejected, hidden)
        path = arrow_elements.staging_file(task.out_uri, f"kept-{bucket:05d}")
        pq.write_table(kept, path)
        yield bucket, str(path), counts
        values = clip_events.logged_values(kept)
        groups = rows % task.num_buckets
        for group in np.unique(groups):
            here = groups == group
            parts = {name: column[here] for name, column in values.items()}
            yield beam.pvalue.TaggedOutput(_VALUES, (int(group), (rows[here], parts)))


class _WriteBucket(_WithCatalogue):
    """The kept events of a bucket → its clean shard of every split, and its counts."""

    def process(
        self,
        element: tuple[int, str, dict[str, Any]],
        groups: list[dict[str, UsualRanges]],
    ) -> None:
        bucket, path, counts = element
        task, items = self._task, self._items
        kept = pq.read_table(path)
        rows = denormalize.catalogue_rows(kept, items)
        kept, changed = clip_events.winsorized(kept, rows, _united(groups))
        complete = denormalize.denormalized(
            kept, items, rows, task.shop.context_features
        )
        parts = split_events(complete, task.splits)
        for split, part in parts.items():
            if part.num_rows:
                arrow_elements.write_shard(
                    task.out_uri, split, part, bucket, task.num_buckets
                )
        times = complete.column(features.TIMESTAMP).to_numpy()
        found = counts | {
            "winsorized": changed,
            "splits": {split: part.num_rows for split, part in parts.items()},
            "users": len(complete.column(features.USER_ID).unique()),
            "first_timestamp": int(times.min()) if len(times) else None,
            "last_timestamp": int(times.max()) if len(times) else None,
        }
        with _in_staging(task.out_uri, f"counts-{bucket:05d}.json") as hidden:
            hidden.write_text(json.dumps(found), "utf-8")


def _ranges_of_group(
    element: tuple[int, Iterable[ItemValues]], config: CleanConfig
) -> dict[str, UsualRanges]:
    """All values of some items → the items' usual ranges."""
    parts = list(element[1])
    rows = np.concatenate([rows for rows, _ in parts])
    values = {
        name: np.concatenate([columns[name] for _, columns in parts])
        for name in parts[0][1]
    }
    return clip_events.ranges_of(values, rows, config)


def _united(groups: list[dict[str, UsualRanges]]) -> dict[str, UsualRanges]:
    """The ranges of all items, ascending."""
    none = clip_events.ranges_of(
        clip_events.NO_VALUES, np.zeros(0, np.int64), CleanConfig()
    )
    united = {}
    for name, empty in none.items():
        found = [empty, *(group[name] for group in groups)]
        columns = [np.concatenate(parts) for parts in zip(*found, strict=True)]
        order = np.argsort(columns[0])
        united[name] = UsualRanges(*(column[order] for column in columns))
    return united


def _read(group: arrow_elements.RowGroup, columns: list[str] | None = None) -> pa.Table:
    _, path, number = group
    return examples.from_examples(pq.ParquetFile(path).read_row_group(number, columns))


def _in_staging(uri: str, name: str) -> AbstractContextManager[Path]:
    """For what the step itself reads when all buckets are done."""
    return whole_file(Path(uri) / ".staging" / name)
