"""A file's rows in pandas as they are: whole numbers stay whole, bytes become text.

pandas' own conversion makes floats of whole numbers beside a null, so that the id 17850
would read "17850.0" and long ids would run together.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from core.errors import InputDataError
from core.tables import Column

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The rows, numbered from 0; of columns of one name the first.

    Bytes that are not UTF-8 stand as escapes (`\\xff`).
    """
    names = list(dict.fromkeys(table.column_names))
    columns = [_readable(table.column(table.column_names.index(n))) for n in names]
    plain = pa.table(columns, names=names)
    options = {"types_mapper": _NULLABLE.get, "ignore_metadata": True}
    try:
        return plain.to_pandas(**options)
    except pa.ArrowInvalid:  # times that pandas cannot count in nanoseconds
        return plain.to_pandas(**options, timestamp_as_object=True)


def require_readable(
    path: object, table: pa.Table, source: str, column: Column
) -> None:
    """Checks that a column of the file can become `column`.

    Raises:
      InputDataError: there are two of that name; it holds lists or records, or bytes
        that are not UTF-8.
    """
    named = table.column_names.count(source)
    if named > 1:
        raise InputDataError(
            f"{path} must have one column {source!r}, for `{column.name}`. Received: "
            f"{named}. Rename or drop the others."
        )
    found = table.column(source)
    kind = found.type
    if pa.types.is_nested(kind) and not pa.types.is_dictionary(kind):
        raise InputDataError(
            f"{path}: column {source!r} must hold one value a row for `{column.name}`. "
            f"Received: {kind}. Write it as text; a category's levels with ' > '."
        )
    if _is_binary(kind):
        try:
            found.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise InputDataError(
                f"{path}: column {source!r} must hold UTF-8 text for `{column.name}`. "
                f"Received: {error}. Export it as text."
            ) from error


def whole_numbers(values: pd.Series, path: object) -> pd.Series:
    """Floats that are all whole as Int64: ids that another tool made floats of.

    Raises:
      InputDataError: they are too large to be exact.
    """
    known = values.dropna()
    if known.empty or not (known % 1 == 0).all():  # infinities are not
        return values
    inexact = known[known.abs() > 2**53]
    if not inexact.empty:
        raise InputDataError(
            f"{path}: column {values.name!r} holds whole numbers as floating point, "
            f"such as {inexact.iloc[0]!r}, which are not exact above 2^53. Export it "
            "as text or as whole numbers."
        )
    return values.astype("Int64")


def _readable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not _is_binary(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        values = column.to_pylist()
        texts = [v and v.decode("utf-8", "backslashreplace") for v in values]
        return pa.chunked_array([pa.array(texts, pa.string())])


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
