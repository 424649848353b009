"""The Beam side of the moments: Arrow tables as elements, users in buckets.

Elements are whole tables, not rows: a bucket of users is read, shuffled, joined and
written as columns. No step holds more than one bucket.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from components.join_history.make_moments import make_moments
from core import features
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig
from trainer.data import examples

RowGroup = tuple[str, int]  # a file and the number of a row group in it


def row_groups(uri: str, splits: Sequence[str]) -> list[RowGroup]:
    """Every row group of the splits of an Examples artifact."""
    return [
        (str(path), group)
        for split in splits
        for path in sorted(examples.split_dir(uri, split).glob("*.parquet"))
        for group in range(pq.read_metadata(path).num_row_groups)
    ]


def bucket_of(user_ids: pa.ChunkedArray, num_buckets: int) -> npt.NDArray[np.int64]:
    """[R] bucket of each row's user, the same on every machine."""
    codes, distinct = pd.factorize(user_ids.to_numpy())
    buckets = [zlib.crc32(user.encode()) % num_buckets for user in distinct]
    return np.asarray(buckets, dtype=np.int64)[codes]


class BucketByUser(beam.PTransform):  # type: ignore[misc]
    """Row groups of events → (bucket, serialized events of the bucket's users)."""

    def __init__(self, num_buckets: int, context_features: Sequence[str]):
        super().__init__()
        self._num_buckets = num_buckets
        self._context = tuple(context_features)

    def expand(self, groups: beam.PCollection) -> beam.PCollection:
        return (
            groups
            | "Spread" >> beam.Reshuffle()
            | "ReadAndBucket"
            >> beam.ParDo(_ReadAndBucket(self._num_buckets, self._context))
            | "ByBucket" >> beam.GroupByKey()
        )


class JoinHistory(beam.PTransform):  # type: ignore[misc]
    """Buckets of events → one shard of moments per bucket and split, written."""

    def __init__(
        self,
        uri: str,
        splits: SplitConfig,
        config: MomentConfig,
        context_features: Sequence[str],
    ):
        super().__init__()
        self._uri = uri
        self._splits = splits
        self._config = config
        self._context = tuple(context_features)

    def expand(self, buckets: beam.PCollection) -> beam.PCollection:
        return buckets | "MakeMoments" >> beam.ParDo(
            _MakeMoments(self._uri, self._splits, self._config, self._context)
        )


class _ReadAndBucket(beam.DoFn):  # type: ignore[misc]
    """A row group → (bucket, serialized events of the bucket's users)."""

    def __init__(self, num_buckets: int, context: tuple[str, ...]):
        self._num_buckets = num_buckets
        self._columns = [
            features.USER_ID,
            features.ITEM_ID,
            features.EVENT,
            features.TIMESTAMP,
            *context,
        ]
        self._optional = [features.SESSION_ID, features.QUERY, features.POSITION]

    def process(self, group: RowGroup) -> Iterator[tuple[int, bytes]]:
        path, number = group
        file = pq.ParquetFile(path)
        stored = set(file.schema_arrow.names)
        columns = self._columns + [n for n in self._optional if n in stored]
        events = examples.from_examples(file.read_row_group(number, columns))
        buckets = bucket_of(events.column(features.USER_ID), self._num_buckets)
        for bucket in np.unique(buckets):
            yield int(bucket), _to_bytes(events.filter(pa.array(buckets == bucket)))


class _MakeMoments(beam.DoFn):  # type: ignore[misc]
    """A bucket's events → its moments, one file per split, complete before visible."""

    def __init__(
        self,
        uri: str,
        splits: SplitConfig,
        config: MomentConfig,
        context: tuple[str, ...],
    ):
        self._uri = uri
        self._splits = splits
        self._config = config
        self._context = context

    def process(
        self, element: tuple[int, Iterable[bytes]]
    ) -> Iterator[tuple[str, int]]:
        bucket, pieces = element
        moments = make_moments(
            joined(pieces), self._splits, self._config, self._context
        )
        for split, table in moments.items():
            if table.num_rows:
                write_shard(self._uri, split, table, bucket, self._config.num_buckets)
                yield split, table.num_rows


def write_shard(
    uri: str, split: str, table: pa.Table, shard: int, num_shards: int
) -> None:
    """Writes one shard of a split; writing it again replaces it whole."""
    folder = examples.split_dir(uri, split)
    hidden = Path(uri) / ".staging" / f"{split}-{shard}-{uuid.uuid4().hex}"
    folder.mkdir(parents=True, exist_ok=True)
    hidden.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(examples.to_examples(table), hidden, row_group_size=8_192)
    os.replace(hidden, folder / f"data-{shard:05d}-of-{num_shards:05d}.parquet")


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def joined(pieces: Iterable[bytes]) -> pa.Table:
    """The events of one bucket."""
    return pa.concat_tables([_from_bytes(piece) for piece in pieces])


def _from_bytes(piece: bytes) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(piece)).read_all()
