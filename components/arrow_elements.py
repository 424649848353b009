"""Arrow tables as elements of Beam collections, and shards that workers write.

Elements are whole tables, not rows: a group of users is read, shuffled, worked on and
written as columns. Between workers they travel compressed.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from trainer.data import examples

# Place among all row groups, a file, the number of a row group in it.
RowGroup = tuple[int, str, int]
# Place of the row group that rows come from, and the rows. A shuffle keeps no order,
# and rows of the same second have none of their own: by the place it comes back.
Piece = tuple[int, bytes]

_OPTIONS = pyarrow.ipc.IpcWriteOptions(compression="lz4")
_ROW_GROUP_SIZE = 65_536


def row_groups(uri: str, splits: Sequence[str]) -> list[RowGroup]:
    """Every row group of the splits of an Examples artifact, in order."""
    places = [
        (str(path), group)
        for split in splits
        for path in sorted(examples.split_dir(uri, split).glob("*.parquet"))
        for group in range(pq.read_metadata(path).num_row_groups)
    ]
    return [(number, *place) for number, place in enumerate(places)]


def num_rows(uri: str, splits: Sequence[str]) -> int:
    """Rows of the splits of an Examples artifact."""
    return sum(
        pq.read_metadata(path).num_rows
        for split in splits
        for path in examples.split_dir(uri, split).glob("*.parquet")
    )


def to_bytes(table: pa.Table) -> bytes:
    """A table as one compressed Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def from_bytes(piece: bytes) -> pa.Table:
    """What `to_bytes` was given."""
    return pa.ipc.open_stream(pa.py_buffer(piece)).read_all()


def joined(pieces: Iterable[Piece]) -> pa.Table:
    """The rows of all pieces, in the order in which they were read."""
    ordered = sorted(pieces, key=lambda piece: piece[0])
    return pa.concat_tables([from_bytes(piece) for _, piece in ordered])


def write_shard(
    uri: str,
    split: str,
    table: pa.Table,
    shard: int,
    num_shards: int,
    row_group_size: int = _ROW_GROUP_SIZE,
) -> None:
    """Writes one shard of a split; writing it again replaces it whole."""
    folder = examples.split_dir(uri, split)
    folder.mkdir(parents=True, exist_ok=True)
    stored = examples.to_examples(table)
    name = f"data-{shard:05d}-of-{num_shards:05d}.parquet"
    with staged(uri, folder / name) as hidden:
        pq.write_table(stored, hidden, row_group_size=row_group_size)


@contextlib.contextmanager
def staged(uri: str, path: Path) -> Iterator[Path]:
    """A staging file that takes the place of `path` at the end of the block.

    Not beside `path`, as `whole_file` has it: TFX reads all that lies in a split.
    """
    hidden = staging_file(uri, path.name)
    yield hidden
    os.replace(hidden, path)


def staging_file(uri: str, name: str) -> Path:
    """A new path below the artifact that nobody else writes to."""
    hidden = Path(uri) / ".staging" / f"{name}-{uuid.uuid4().hex}"
    hidden.parent.mkdir(parents=True, exist_ok=True)
    return hidden
