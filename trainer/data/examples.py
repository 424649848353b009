"""Reads and writes Examples artifacts with Parquet payload, without TFX.

On disk every column is `large_list<large_binary | int64 | float32>`, the form that
TFX's StatisticsGen, Transform and Evaluator read as Arrow batches; a missing value is a
null list. In memory, columns are plain `string`, `int64` and `float32` with nulls, but
for those of `LIST_COLUMNS`, which stay lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core import features
from core.errors import ArtifactError

LIST_COLUMNS = frozenset(
    {
        features.HISTORY_ITEM_IDS,
        features.HISTORY_EVENTS,
        features.HISTORY_TIMESTAMPS,
        features.TARGET_ITEM_IDS,
        features.TARGET_EVENTS,
        features.TARGET_TIMESTAMPS,
        features.SHOWN_ITEM_IDS,
        features.SHOWN_POSITIONS,
        *features.SHOWN_EVENTS.values(),
        "image_embedding",
    }
)
_ROW_GROUP_SIZE = 65_536


def split_dir(uri: str, split: str) -> Path:
    """Folder of one split of an Examples artifact, `URI/Split-NAME`."""
    return Path(uri) / f"Split-{split}"


def read_split(uri: str, split: str, columns: list[str] | None = None) -> pa.Table:
    """A split's rows in the order they were written.

    Args:
      uri: root of an Examples artifact with Parquet payload.
      split: its name, such as `train`.
      columns: which columns, in this order; all where None.

    Returns:
      Table of string, int64 and float32 columns (null where missing), and of lists of
      these for `LIST_COLUMNS` (empty, never null).

    Raises:
      ArtifactError: the split or a column does not exist.
    """
    folder, files = split_dir(uri, split), _files(uri, split)
    stored = set(pq.read_schema(files[0]).names)
    absent = [name for name in columns or [] if name not in stored]
    if absent:
        raise ArtifactError(
            f"`{folder}` has no column {', '.join(absent)}. "
            f"It has: {', '.join(sorted(stored))}."
        )
    table = pa.concat_tables([pq.read_table(f, columns=columns) for f in files])
    return from_examples(table)


def column_names(uri: str, split: str) -> list[str]:
    """Columns that a split has.

    Raises:
      ArtifactError: the split does not exist.
    """
    return list(pq.read_schema(_files(uri, split)[0]).names)


def write_split(uri: str, split: str, table: pa.Table, num_shards: int = 1) -> None:
    """Writes `table` as one split; a table without rows becomes one empty file.

    Args:
      uri: root of the Examples artifact; created where missing.
      split: the split's name.
      table: plain columns as `read_split` returns them (other integer, floating and
        string types are converted).
      num_shards: files to spread the rows over, in order.
    """
    folder = split_dir(uri, split)
    folder.mkdir(parents=True, exist_ok=True)
    stored = to_examples(table)
    num_shards = max(1, min(num_shards, stored.num_rows))
    bounds = [stored.num_rows * i // num_shards for i in range(num_shards + 1)]
    for shard in range(num_shards):
        start, stop = bounds[shard], bounds[shard + 1]
        name = f"data-{shard:05d}-of-{num_shards:05d}.parquet"
        rows = stored.slice(start, stop - start)
        pq.write_table(rows, folder / name, row_group_size=_ROW_GROUP_SIZE)


def fill_empty_splits(uri: str, splits: Sequence[str], schema: pa.Schema) -> None:
    """Gives every split at least one file, with the plain `schema`."""
    for split in splits:
        if not any(split_dir(uri, split).glob("*.parquet")):
            write_split(uri, split, schema.empty_table())


def to_examples(table: pa.Table) -> pa.Table:
    """Plain columns → the stored form: `large_list` of large_binary, int64, float32."""
    names = table.column_names
    arrays = [_to_lists(name, table.column(name)) for name in names]
    return pa.table(arrays, names=names)


def from_examples(table: pa.Table) -> pa.Table:
    """The stored form → plain columns."""
    names = table.column_names
    arrays = [_from_lists(name, table.column(name)) for name in names]
    return pa.table(arrays, names=names)


def _files(uri: str, split: str) -> list[Path]:
    folder = split_dir(uri, split)
    files = sorted(folder.glob("*.parquet"))
    if not files:
        others = sorted(path.name for path in folder.glob("*"))
        remedy = (
            "Only Examples with Parquet payload are read: make them with Ingest."
            if others
            else "Check the split's name, or run the step that writes it again."
        )
        raise ArtifactError(
            f"`{folder}` must hold at least one Parquet file. Received: "
            f"{', '.join(others[:3]) or 'none'}. {remedy}"
        )
    return files


def _stored_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float32()
    return pa.large_binary()


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _to_lists(name: str, column: pa.ChunkedArray) -> pa.Array:
    array = _one_array(column)
    if _is_list(array.type):
        values = _stored_values(array.flatten())
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        return _list_array(lengths, values, None)
    if pa.types.is_null(array.type):
        array = array.cast(pa.large_binary())
    present = array.is_valid()
    values = _stored_values(array.filter(present))
    missing = None if array.null_count == 0 else pc.invert(present)
    return _list_array(present.cast(pa.int64()), values, missing)


def _list_array(
    lengths: pa.Array, values: pa.Array, missing: pa.Array | None
) -> pa.Array:
    sums = pc.cumulative_sum(lengths.cast(pa.int64()))
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), sums])
    if missing is not None:  # an offset that is null marks its list as null
        marked = pa.concat_arrays([missing, pa.array([False])])
        offsets = pc.if_else(marked, pa.scalar(None, pa.int64()), offsets)
    return pa.LargeListArray.from_arrays(offsets, values)


def _stored_values(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = _stored_type(values.type)
    if kind == pa.large_binary() and not pa.types.is_large_binary(values.type):
        values = values.cast(pa.large_string())
    return values.cast(kind)


def _from_lists(name: str, column: pa.ChunkedArray) -> pa.Array:
    array = _one_array(column)
    values = array.flatten()
    if pa.types.is_large_binary(values.type):
        values = values.cast(pa.large_string())
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    if name in LIST_COLUMNS:
        return _list_array(lengths, values, None)
    if pa.types.is_large_string(values.type):
        values = values.cast(pa.string())
    if len(values) == len(array):
        return values
    present = pc.greater(lengths, 0)
    starts = pc.subtract(pc.cumulative_sum(lengths), lengths)
    return values.take(pc.if_else(present, starts, pa.scalar(None, pa.int64())))


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], column.type)
    return pa.concat_arrays(column.chunks)
