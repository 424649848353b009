"""A CSV, Parquet or XLSX file as an Arrow table; CSV cells stay text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from core.errors import InputDataError

SUFFIXES = (".parquet", ".csv", ".tsv", ".xlsx")


def read_file(
    path: Path, *, encoding: str = "utf8", delimiter: str | None = None
) -> tuple[pa.Table, list[str]]:
    """The file's table, and the text of CSV lines whose column count is wrong.

    Raises:
      InputDataError: the file is missing, empty, cut short, not in its encoding, or of
        a kind that is not read.
    """
    if not path.is_file():
        raise InputDataError(f"No file {path}. Check the path given to --data.")
    if path.stat().st_size == 0:
        raise InputDataError(f"{path} is empty (0 bytes). Export the table again.")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _nonempty(_read_parquet(path), path), []
    if suffix == ".xlsx":
        return _nonempty(_read_xlsx(path), path), []
    if suffix in (".csv", ".tsv"):
        usual = "\t" if suffix == ".tsv" else ","
        table, bad_lines = _read_csv(path, encoding, delimiter or usual)
        return _nonempty(table, path), bad_lines
    raise InputDataError(
        f"{path}: a table must be a file of kind {', '.join(SUFFIXES)}. "
        f"Received: {path.suffix or 'no suffix'!r}. Convert it to Parquet or CSV."
    )


def _nonempty(table: pa.Table, path: Path) -> pa.Table:
    if table.num_rows == 0:
        raise InputDataError(
            f"{path} has a header but no rows. Export the table again."
        )
    return table


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputDataError(
            f"{path} is not a complete Parquet file; it may have been cut short while "
            f"it was copied. Copy or export it again. Parquet says: {error}"
        ) from error


def _read_csv(path: Path, encoding: str, delimiter: str) -> tuple[pa.Table, list[str]]:
    bad_lines: list[str] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        bad_lines.append(row.text)
        return "skip"

    try:
        names = _header(path, encoding, delimiter)
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(encoding=encoding),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=["", "NULL", "null", "NaN", "nan"],
            ),
        )
    except (UnicodeError, LookupError, pa.ArrowException) as error:
        place = _undecodable_line(path, encoding)
        if place:
            raise InputDataError(
                f"{path}, line {place}: not valid {encoding}. Save it as UTF-8 or "
                "name its encoding (`encoding: latin-1`) in the mapping file."
            ) from error
        raise InputDataError(
            f"{path} cannot be read as CSV with delimiter {delimiter!r}: {error}. "
            "Check the delimiter and the quotes."
        ) from error
    return table, bad_lines


def _header(path: Path, encoding: str, delimiter: str) -> list[str]:
    first = pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(encoding=encoding),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            invalid_row_handler=lambda row: "skip",
        ),
    )
    return list(first.schema.names)


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """Number of the first line that is not in `encoding`, 1-based; None if all are."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                return number
    return None


def _read_xlsx(path: Path) -> pa.Table:
    try:
        return pa.Table.from_pandas(
            pd.read_excel(path, dtype=str), preserve_index=False
        )
    except ImportError as error:
        raise InputDataError(
            f"{path}: reading .xlsx needs the package openpyxl. Install it, or save "
            "the sheet as CSV."
        ) from error
