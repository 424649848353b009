"""The Beam side of the moments: users in buckets, no step holds more than one."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components import arrow_elements
from components.join_history.make_moments import make_moments
from core import features
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig
from trainer.data import examples

_ROW_GROUP_SIZE = 8_192  # moments are wide


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

    def process(
        self, group: arrow_elements.RowGroup
    ) -> Iterator[tuple[int, arrow_elements.Piece]]:
        place, path, number = group
        file = pq.ParquetFile(path)
        stored = set(file.schema_arrow.names)
        columns = self._columns + [n for n in self._optional if n in stored]
        events = examples.from_examples(file.read_row_group(number, columns))
        buckets = bucket_of(events.column(features.USER_ID), self._num_buckets)
        for bucket in np.unique(buckets):
            piece = events.filter(pa.array(buckets == bucket))
            yield int(bucket), (place, arrow_elements.to_bytes(piece))


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
        self, element: tuple[int, Iterable[arrow_elements.Piece]]
    ) -> Iterator[tuple[str, int]]:
        bucket, pieces = element
        moments = make_moments(
            arrow_elements.joined(pieces), self._splits, self._config, self._context
        )
        for split, table in moments.items():
            if table.num_rows:
                arrow_elements.write_shard(
                    self._uri,
                    split,
                    table,
                    bucket,
                    self._config.num_buckets,
                    _ROW_GROUP_SIZE,
                )
                yield split, table.num_rows
