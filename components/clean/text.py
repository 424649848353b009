"""Columns of text as the catalogue shows it."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from core.text.displayed import displayed


def normalize_column(
    column: pa.ChunkedArray, normalize: Callable[[str], str] = displayed
) -> pa.ChunkedArray:
    """Every value normalized; what becomes empty becomes null.

    Args:
      column: [R] string.

    Returns:
      [R] string. Each distinct value is normalized once.
    """
    encoded = column.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string())
    encoded = encoded.dictionary_encode()
    distinct = [normalize(v) or None for v in encoded.dictionary.to_pylist()]
    values = pa.array(distinct, pa.string()).take(encoded.indices)
    return pa.chunked_array([values])


def is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """[R] bool: null, empty or white space only."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.fill_null(pc.equal(trimmed, ""), True)
