"""Columns of plain Arrow tables as NumPy arrays, present or not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def texts(table: pa.Table, name: str) -> npt.NDArray[np.object_]:
    """[R] strings, "" where there is none or no such column."""
    if name not in table.column_names:
        return np.full(table.num_rows, "", dtype=object)
    column = table.column(name).cast(pa.large_string()).to_pandas()
    return np.asarray(column.fillna(""), dtype=object)


def integers(table: pa.Table, name: str, missing: int) -> npt.NDArray[np.int64]:
    """[R] int64, `missing` where there is none or no such column."""
    if name not in table.column_names:
        return np.full(table.num_rows, missing, dtype=np.int64)
    column = table.column(name).cast(pa.int64()).fill_null(missing)
    return np.asarray(column.to_numpy(), dtype=np.int64)
