"""Reads Parquet and CSV files of a canonical table in Arrow batches."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from components.ingest import conform
from core.errors import InputDataError
from core.tables import Column

_PARQUET_SUFFIXES = (".parquet", ".pq")
_CSV_SUFFIXES = (".csv", ".tsv")
_ROWS_PER_PART = 250_000
_CSV_BLOCK_BYTES = 8 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a file that one worker reads and writes as one shard."""

    path: str
    index: int  # position of the file among its table's files
    row_groups: tuple[int, ...] = ()  # Parquet only


def plan_parts(paths: Sequence[str]) -> list[Part]:
    """Splits files into parts of about 250,000 rows without reading their rows.

    Raises:
      InputDataError: a file is empty, truncated or of an unknown kind.
    """
    parts: list[Part] = []
    for index, path in enumerate(sorted(paths)):
        if _suffix(path) in _CSV_SUFFIXES:
            parts.append(Part(path=path, index=index))
            continue
        metadata = _open_parquet(path).metadata
        groups: list[int] = []
        rows = 0
        for group in range(metadata.num_row_groups):
            groups.append(group)
            rows += metadata.row_group(group).num_rows
            if rows >= _ROWS_PER_PART or group == metadata.num_row_groups - 1:
                part = Part(path=path, index=index, row_groups=tuple(groups))
                parts.append(part)
                groups, rows = [], 0
    return parts


def read_part(part: Part, columns: Sequence[Column]) -> Iterator[pa.Table]:
    """The part's rows as tables with exactly `columns`, in file order.

    Raises:
      InputDataError: names the file, the field, the rule and the remedy.
    """
    if _suffix(part.path) in _CSV_SUFFIXES:
        yield from _read_csv(part.path, columns)
    else:
        yield from _read_parquet(part, columns)


def check_header(path: str, columns: Sequence[Column]) -> None:
    """Checks that a file opens and has the required columns; reads no rows.

    Raises:
      InputDataError: it does not.
    """
    if _suffix(path) in _CSV_SUFFIXES:
        with _open_csv(path, columns) as reader:
            names = reader.schema.names
    else:
        names = _open_parquet(path).schema_arrow.names
    conform.require_columns(path, names, columns)


def _suffix(path: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in _PARQUET_SUFFIXES + _CSV_SUFFIXES:
        raise InputDataError(
            f"`{path}` must end in .parquet, .csv or .tsv. Received: {suffix!r}. "
            "Rename or convert the file, or narrow the input pattern."
        )
    return suffix


def _open_parquet(path: str) -> pq.ParquetFile:
    try:
        parquet = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    if parquet.metadata.num_rows == 0:
        raise _without_rows(path)
    return parquet


def _read_parquet(part: Part, columns: Sequence[Column]) -> Iterator[pa.Table]:
    parquet = _open_parquet(part.path)
    stored = parquet.schema_arrow.names
    conform.require_columns(part.path, stored, columns)
    wanted = [c.name for c in columns if c.name in stored]
    try:
        table = parquet.read_row_groups(list(part.row_groups), columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(part.path, error) from error
    yield conform.conform(part.path, table, columns)


def _open_csv(path: str, columns: Sequence[Column]) -> pa_csv.CSVStreamingReader:
    if Path(path).stat().st_size == 0:
        raise _without_rows(path)
    delimiter = "\t" if path.endswith(".tsv") else ","
    # Text is what any value is: columns that nobody reads stop no run.
    types = dict.fromkeys(_header(path, delimiter), pa.string())
    types |= {column.name: _csv_type(column) for column in columns}
    try:
        return pa_csv.open_csv(
            path,
            # one thread: only then do messages carry the row's number
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=_CSV_BLOCK_BYTES
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise conform.csv_error(path, error, _header(path, delimiter)) from error


def _header(path: str, delimiter: str) -> list[str]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file, delimiter=delimiter), [])


def _csv_type(column: Column) -> pa.DataType:
    if column.kind == "int64" and not column.required:
        return pa.float64()  # spreadsheets write gaps in whole numbers as 1.0
    return conform.ARROW_TYPES[column.kind]


def _read_csv(path: str, columns: Sequence[Column]) -> Iterator[pa.Table]:
    rows = 0
    with _open_csv(path, columns) as reader:
        conform.require_columns(path, reader.schema.names, columns)
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                break
            except pa.ArrowInvalid as error:
                raise conform.csv_error(path, error, reader.schema.names) from error
            rows += batch.num_rows
            table = pa.Table.from_batches([batch])
            yield conform.conform(path, table, columns)
    if rows == 0:
        raise _without_rows(path)


def _unreadable(path: str, error: Exception) -> InputDataError:
    return InputDataError(
        f"`{path}` must be a complete Parquet file. Received one that cannot be read "
        f"({error}). Write or copy the file again; it may be truncated or empty."
    )


def _without_rows(path: str) -> InputDataError:
    return InputDataError(
        f"`{path}` must hold at least one row. Received: an empty file. "
        "Export the table again, or leave the file out of the input pattern."
    )
