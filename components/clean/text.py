"""Text as the catalogue shows it: NFKC, single spaces, no control characters."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

# Control characters and marks inside words go (soft hyphens, word joiners); what parts
# words becomes a space, in Khmer and Thai U+200B.
_INVISIBLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x2060, 0xFEFF])
_INVISIBLE |= dict.fromkeys([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x200B], " ")


def normalize(text: str) -> str:
    """NFKC form without control characters, white space collapsed; case is kept."""
    visible = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return " ".join(visible.split())


def normalize_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
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
