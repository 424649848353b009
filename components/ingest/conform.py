"""Checks a batch of rows against a canonical table's columns and converts its types."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from core import tables
from core.errors import InputDataError
from core.tables import Column

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float32": pa.float32(),
}
_CSV_COLUMN = re.compile(r"In CSV column #(\d+)")


def columns_of(table: str, context_features: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns that ingestion keeps: the canonical ones and, for events, the context."""
    known = tables.TABLES[table]
    if table != "events":
        return known
    names = {column.name for column in known}
    context = [name for name in context_features if name not in names]
    return known + tuple(Column(name=name, kind="string") for name in context)


def require_columns(path: str, names: Sequence[str], columns: Sequence[Column]) -> None:
    """Raises InputDataError where a required column is missing or one stands twice."""
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise InputDataError(
            f"`{path}` must name each column once. Received twice: "
            f"{', '.join(doubled)}. Rename or drop the second one."
        )
    for column in columns:
        if not column.required or column.name in names:
            continue
        close = difflib.get_close_matches(column.name, names, n=1)
        hint = f"Did you mean `{close[0]}`? " if close else ""
        raise InputDataError(
            f"`{path}` must have the column `{column.name}` ({column.kind}: "
            f"{column.rule}). Received the columns: {', '.join(names) or 'none'}. "
            f"{hint}Rename the column, or map it in the shop's column mapping."
        )


def conform(path: str, table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """A table with exactly `columns` and their types; absent optional ones are null.

    Raises:
      InputDataError: a column's type or encoding is wrong.
    """
    arrays = []
    for column in columns:
        if column.name in table.column_names:
            arrays.append(_convert(path, table.column(column.name), column))
        else:
            arrays.append(pa.nulls(table.num_rows, ARROW_TYPES[column.kind]))
    return pa.table(arrays, names=[column.name for column in columns])


def csv_error(path: str, error: Exception, names: Sequence[str] = ()) -> InputDataError:
    """What pyarrow says of a malformed CSV, with the column's name in place of #n."""
    text = str(error).strip()
    match = _CSV_COLUMN.search(text)
    if match and int(match[1]) < len(names):
        text = text.replace(match[0], f"In column `{names[int(match[1])]}`")
    return InputDataError(
        f"`{path}` must be a UTF-8 CSV file with a header and the columns of the data "
        f"contract. Received: {text}. Correct that row, or export the file as UTF-8."
    )


def _convert(path: str, column: pa.ChunkedArray, rule: Column) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_null(kind):
        return pa.chunked_array([pa.nulls(len(column), ARROW_TYPES[rule.kind])])
    if not _convertible(kind, rule.kind):
        raise _wrong_type(path, rule, f"the type {kind}")
    try:
        if rule.kind == "string":
            return _as_text(column)
        if rule.kind == "float32":
            return _without_nan(column.cast(pa.float64())).cast(pa.float32())
        return _as_whole_numbers(column)
    except pa.ArrowInvalid as error:
        raise _wrong_type(path, rule, str(error)) from error


def _convertible(kind: pa.DataType, wanted: str) -> bool:
    whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    number = whole or pa.types.is_floating(kind)
    if wanted == "string":
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        raw = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        return bool(text or raw or pa.types.is_integer(kind))
    if wanted == "int64":
        return bool(number or pa.types.is_timestamp(kind))
    return bool(number or pa.types.is_decimal(kind))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = column.cast(pa.string())  # checks UTF-8 where the source is binary
    for chunk in text.chunks:
        chunk.validate(full=True)
    return text


def _as_whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        seconds = column.cast(pa.timestamp("s", tz=column.type.tz), safe=False)
        return seconds.cast(pa.int64())
    if pa.types.is_floating(column.type):
        column = _without_nan(column.cast(pa.float64()))
    return column.cast(pa.int64())


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    missing = pc.fill_null(pc.is_nan(column), False)
    return pc.if_else(missing, pa.scalar(None, column.type), column)


def _wrong_type(path: str, rule: Column, received: str) -> InputDataError:
    text = f" ({rule.rule})" if rule.rule else ""
    return InputDataError(
        f"`{path}`: the column `{rule.name}` must be {rule.kind}{text}. "
        f"Received: {received}. Convert the column before the import."
    )
