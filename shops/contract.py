"""The data contract of core/tables.py as Arrow schemas, and the `rejected` table."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from core import tables

ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}
REJECTED = pa.schema(
    [("table", pa.string()), ("row", pa.string()), ("reason", pa.string())]
)


def schema(table: str, context: tuple[str, ...] = ()) -> pa.Schema:
    """Arrow schema of a canonical table; context columns follow those of `events`."""
    fields = [
        pa.field(column.name, ARROW_TYPES[column.kind], nullable=not column.required)
        for column in tables.TABLES[table]
    ]
    extra = context if table == "events" else ()
    return pa.schema(fields + [pa.field(name, pa.string()) for name in extra])


def to_table(
    frame: pd.DataFrame, table: str, context: tuple[str, ...] = ()
) -> pa.Table:
    """`frame` in the contract's column order and types; columns it lacks are null."""
    wanted = schema(table, context)
    columns = [
        pa.array(frame[field.name], type=field.type, from_pandas=True)
        if field.name in frame
        else pa.nulls(len(frame), field.type)
        for field in wanted
    ]
    return pa.Table.from_arrays(columns, schema=wanted)


def no_events(context: tuple[str, ...] = ()) -> pa.Table:
    """The empty `events` table of a shop without a log."""
    return schema("events", context).empty_table()


def rejected_rows(table: str, rows: pd.DataFrame, reasons: pd.Series) -> pa.Table:
    """The `rejected` table of `rows` [R], one reason each; a row is kept as JSON."""
    text = rows.to_json(
        orient="records", lines=True, force_ascii=False, date_format="iso"
    )
    lines = text.split("\n")  # `splitlines` splits at marks that JSON leaves in texts
    return pa.table(
        {
            "table": pa.array([table] * len(rows), pa.string()),
            "row": pa.array([line for line in lines if line], pa.string()),
            "reason": pa.array(list(reasons), pa.string()),
        },
        schema=REJECTED,
    )


def no_rejections() -> pa.Table:
    return REJECTED.empty_table()
