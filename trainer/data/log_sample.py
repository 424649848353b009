"""Logs no larger than one worker's memory: everything of some users, nothing of others.

A user is in by a hash of the id, so the samples of two logs agree, and a smaller share
is part of a larger one. A log that fits is read whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core import features
from core.errors import ArtifactError
from trainer.data import examples

_HASHES = 2**32  # values of CRC-32


def share_of_users(uri: str, splits: Sequence[str], max_rows: int) -> float:
    """Share of the users who have about `max_rows` rows together, at most 1.

    Args:
      uri: Examples with Parquet payload.
      splits: of which rows are read; absent ones count as empty.
      max_rows: as many as a worker may hold.
    """
    rows = sum(
        pq.read_metadata(file).num_rows
        for split in splits
        for file in examples.split_dir(uri, split).glob("*.parquet")
    )
    return min(1.0, max_rows / max(rows, 1))


def of_users(table: pa.Table, share: float) -> pa.Table:
    """The rows, in order, of the users who are in the sample."""
    if share >= 1:
        return table
    codes, users = pd.factorize(table.column(features.USER_ID).to_numpy())
    hashes = np.array([zlib.crc32(user.encode()) for user in users], np.int64)
    inside = np.append(hashes < share * _HASHES, False)  # code -1: no id
    return table.filter(pa.array(inside[codes]))


def iterate_log(
    uri: str,
    splits: Sequence[str],
    columns: Sequence[str],
    share: float = 1.0,
    *,
    optional: Sequence[str] = (),
) -> Iterator[pa.Table]:
    """Row groups of the sampled users' rows, in order, as plain columns.

    Args:
      uri: Examples with Parquet payload.
      splits: absent ones count as empty.
      columns: in every file; `user_id` among them where `share` < 1.
      share: of the users.
      optional: left out where a file has no such column.

    Raises:
      ArtifactError: a file has not all `columns`, or none of the splits has a file.
    """
    paths = [
        path
        for split in splits
        for path in sorted(examples.split_dir(uri, split).glob("*.parquet"))
    ]
    if not paths:
        raise ArtifactError(
            f"`{uri}` must hold a file of the splits {', '.join(splits)}. Received: "
            "none. Run the step that writes it again."
        )
    for path in paths:
        file = pq.ParquetFile(path)
        stored = file.schema_arrow.names
        absent = [name for name in columns if name not in stored]
        if absent:
            raise ArtifactError(
                f"`{path}` must have the columns {', '.join(columns)}. Received: no "
                f"{', '.join(absent)}. Run the step that writes it again."
            )
        held = [*columns, *(name for name in optional if name in stored)]
        if not file.num_row_groups:
            schema = pa.schema([file.schema_arrow.field(name) for name in held])
            yield examples.from_examples(schema.empty_table())
        for number in range(file.num_row_groups):
            rows = examples.from_examples(file.read_row_group(number, held))
            yield of_users(rows, share)


def read_log(
    uri: str,
    splits: Sequence[str],
    columns: Sequence[str],
    share: float = 1.0,
    *,
    optional: Sequence[str] = (),
) -> pa.Table:
    """What `iterate_log` yields, as one table."""
    return concatenate(
        list(iterate_log(uri, splits, columns, share, optional=optional))
    )


def concatenate(parts: Sequence[pa.Table]) -> pa.Table:
    """All rows of one or more tables; one without rows may lack columns."""
    filled = [part for part in parts if part.num_rows]
    return pa.concat_tables(filled or parts[:1])
