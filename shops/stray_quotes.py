"""Quotes that open a CSV cell by mistake (`"12 inch shelf`) and swallow whole rows."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputDataError

# Share of a cell's lines that must look like rows. A text of many lines may hold a
# table of its own, hardly one with the file's number of columns throughout.
MIN_SHARE = 0.9
# From so many lines on the count of delimiters alone decides, for half of the lines:
# no description is that long, and the few rows that are left say little of the columns.
MANY_LINES = 100
MANY_LINES_SHARE = 0.5
# Fewer rows than this, or rows for each shape, do not tell what a column holds.
MIN_ROWS_TO_COMPARE = 20
_BREAK = r"\r\n?|\n"
# A code's shape: SKU-771 is A-0, 12.50 is 0.0.
_SIGNS = ((r"[A-Za-z]+", "A"), (r"[0-9]+", "0"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Record:
    """A row of several lines: the fields of each, and what follows the opening quote.

    A cell without a line break is one field, whatever is in it.
    """

    lines: list[list[str]]
    opening: str


def require_closed_quotes(
    path: Path, table: pa.Table, bad_lines: list[str], encoding: str, delimiter: str
) -> None:
    """Checks that no quoted cell of a file holds further rows of it.

    A cell does if nine in ten of the lines that its row runs over look like rows: as
    many delimiters as the header has, no field that begins with a space, and in columns
    of codes (no cell with white space) only shapes that other cells have. A text of
    several lines has its delimiters elsewhere.

    Args:
      path: the file.
      table: its rows, CSV cells as text.
      bad_lines: the text of the rows whose column count is wrong.
      encoding: of the file.
      delimiter: of the file.

    Raises:
      InputDataError: one does; names its line.
    """
    broken = [
        column
        for column in table.columns
        if pa.types.is_string(column.type)
        and pc.any(pc.match_substring_regex(column, _BREAK)).as_py()
    ]
    bad_texts = [text for text in bad_lines if re.search(_BREAK, text.strip())]
    if table.num_columns < 2 or not (broken or bad_texts):
        return
    codes = _code_columns(table)
    records = (*_records(table, broken, delimiter), *_bad_records(bad_texts, delimiter))
    for record in records:
        if _holds_rows(record.lines, table.num_columns, codes):
            line = _line_number(path, record.opening, encoding, delimiter)
            first = delimiter.join(record.lines[0])[:80]
            raise InputDataError(
                f"{path}, line {line}: a quote that opens a cell must close it. "
                f"Received: a cell over {len(record.lines)} lines that look like rows, "
                f"the first {first!r}. Close or double the quote; set `quote: none` "
                "beside `file` if the file quotes nothing; export the table as Parquet "
                "if the text is meant so."
            )


def _records(
    table: pa.Table, broken: list[pa.ChunkedArray], delimiter: str
) -> Iterator[_Record]:
    """The rows with a cell of several lines that has about the delimiters of rows."""
    doubted: set[int] = set()
    for column in broken:
        breaks = pc.count_substring_regex(column, _BREAK)
        asked = pc.multiply(
            pc.cast(breaks, pa.float64()), MANY_LINES_SHARE * (table.num_columns - 1)
        )
        enough = pc.greater_equal(pc.count_substring(column, delimiter), asked)
        found = pc.fill_null(pc.and_(pc.greater(breaks, 0), enough), False)
        doubted.update(pc.indices_nonzero(found).to_pylist())
    for row in sorted(doubted):
        lines: list[list[str]] = [[]]
        opening = None
        for column in table.columns:
            first, *others = re.split(_BREAK, column[row].as_py() or "")
            lines[-1] += first.split(delimiter) if others else [first]
            lines += [text.split(delimiter) for text in others]
            opening = first if others and opening is None else opening
        yield _Record(
            lines=[line for line in lines if any(line)], opening=opening or ""
        )


def _bad_records(texts: list[str], delimiter: str) -> Iterator[_Record]:
    for text in texts:
        first, *others = [line for line in re.split(_BREAK, text) if line]
        yield _Record(
            lines=[line.split(delimiter) for line in (first, *others)],
            opening=re.split(f'(?:^|{re.escape(delimiter)})"', first)[-1],
        )


def _code_columns(table: pa.Table) -> dict[int, set[str] | None]:
    """Columns of ids, numbers and words, and their shapes; None: too many to tell.

    No cell of one line has white space in them.
    """
    found: dict[int, set[str] | None] = {}
    for number, column in enumerate(table.columns):
        if not pa.types.is_string(column.type):
            continue
        known = pc.fill_null(column, "")
        single = known.filter(pc.invert(pc.match_substring_regex(known, _BREAK)))
        spaced = pc.any(pc.match_substring_regex(single, r"\s")).as_py()
        if len(single) < MIN_ROWS_TO_COMPARE or spaced:
            continue
        for pattern, sign in _SIGNS:
            single = pc.replace_substring_regex(single, pattern, sign)
        shapes = pc.unique(single)
        few = len(shapes) * MIN_ROWS_TO_COMPARE <= len(single)
        found[number] = set(shapes.to_pylist()) if few else None
    return found


def _holds_rows(
    lines: list[list[str]], num_columns: int, codes: dict[int, set[str] | None]
) -> bool:
    rows = [fields for fields in lines if len(fields) == num_columns]
    if len(lines) >= MANY_LINES:
        return len(rows) >= MANY_LINES_SHARE * len(lines)
    rows = [
        fields
        for fields in rows
        if not any(field.startswith(" ") for field in fields)
        and all(_is_code(fields[number], codes[number]) for number in codes)
    ]
    return len(lines) > 1 and len(rows) >= MIN_SHARE * len(lines)


def _is_code(field: str, shapes: set[str] | None) -> bool:
    if re.search(r"\s", field):
        return False
    for pattern, sign in _SIGNS:
        field = re.sub(pattern, sign, field)
    return shapes is None or field in shapes


def _line_number(path: Path, opening: str, encoding: str, delimiter: str) -> int | str:
    """Number of the first line that ends in `opening` behind a quote, 1-based."""
    quoted = '"' + opening.replace('"', '""')
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file, start=1):
            text = line.rstrip("\n")
            if text == quoted or text.endswith(delimiter + quoted):
                return number
    return "unknown"
