"""A CSV, Parquet or XLSX file, or its parts, as an Arrow table; CSV cells stay text."""

from __future__ import annotations

import codecs
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from core.errors import InputDataError
from shops.stray_quotes import require_closed_quotes

SUFFIXES = (".parquet", ".csv", ".tsv", ".xlsx")
BLOCK_BYTES = 1 << 20  # Arrow's own: what one thread parses at once
MAX_BLOCK_BYTES = (1 << 31) - 1


def read_file(
    path: Path,
    *,
    encoding: str = "utf8",
    delimiter: str | None = None,
    quoted: bool = True,
) -> tuple[pa.Table, list[str]]:
    """The table, and the text of CSV lines whose column count is wrong.

    Args:
      path: a file; a folder of parts as Spark writes it, or a pattern
        (`events/*.parquet`): one table after the other, in the order of their names.
      encoding: of CSV files.
      delimiter: of CSV files; None: a comma, of .tsv a tab.
      quoted: whether a `"` opens a CSV cell; without, it is a sign as any other.

    Raises:
      InputDataError: the file is missing, empty, cut short, not in its encoding, or of
        a kind that is not read; parts have other columns; a quote swallows rows.
    """
    found = parts(path)
    read = [_read_part(part, encoding, delimiter, quoted) for part in found]
    tables = [table for table, _ in read]
    bad_lines = [line for _, lines in read for line in lines]
    if len(tables) == 1:
        return _nonempty(tables[0], path), bad_lines
    return _nonempty(_joined(tables, found), path), bad_lines


def parts(path: Path) -> list[Path]:
    """The files that a path, a folder or a pattern stands for.

    Raises:
      InputDataError: there are none.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES]
        # Spark's own files begin with "_" or ".".
        found = [
            p for p in found if not any(n[0] in "_." for n in p.relative_to(path).parts)
        ]
    else:
        found = list(path.parent.glob(path.name))
    if not found:
        what = f"file of kind {', '.join(SUFFIXES)} in" if path.is_dir() else "file"
        raise InputDataError(f"No {what} {path}. Check the path given to --data.")
    return sorted(found)


def _joined(tables: list[pa.Table], found: list[Path]) -> pa.Table:
    """Parts of one table; a column that is empty in one takes the others' type."""
    names = tables[0].column_names
    for table, path in zip(tables, found, strict=True):
        if table.column_names != names:
            raise InputDataError(
                f"{path} must have the columns of {found[0]}: {', '.join(names)}. "
                f"Received: {', '.join(table.column_names)}. Export the parts alike."
            )
    types = [
        next((t for t in kinds if not pa.types.is_null(t)), pa.null())
        for kinds in zip(*(table.schema.types for table in tables), strict=True)
    ]
    schema = pa.schema(list(zip(names, types, strict=True)))
    cast = []
    for table, path in zip(tables, found, strict=True):
        try:
            cast.append(table.cast(schema))
        except (pa.ArrowException, ValueError) as error:
            raise InputDataError(
                f"{path} must have columns of the types of {found[0]}. Received: "
                f"{error}. Export the parts alike."
            ) from error
    return pa.concat_tables(cast)


def _read_part(
    path: Path, encoding: str, delimiter: str | None, quoted: bool
) -> tuple[pa.Table, list[str]]:
    if path.stat().st_size == 0:
        raise InputDataError(f"{path} is empty (0 bytes). Export the table again.")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path), []
    if suffix == ".xlsx":
        return _read_xlsx(path), []
    if suffix in (".csv", ".tsv"):
        usual = "\t" if suffix == ".tsv" else ","
        delimiter = delimiter or usual
        table, bad_lines = _read_csv(path, encoding, delimiter, quoted)
        if quoted:
            require_closed_quotes(path, table, bad_lines, encoding, delimiter)
        return table, bad_lines
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
        # One file is one file, whatever folders like `date=2025-01-01` it lies in.
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise InputDataError(
            f"{path} is not a complete Parquet file; it may have been cut short while "
            f"it was copied. Copy or export it again. Parquet says: {error}"
        ) from error


def _read_csv(
    path: Path, encoding: str, delimiter: str, quoted: bool
) -> tuple[pa.Table, list[str]]:
    bad_lines: list[str] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        bad_lines.append(row.text)
        return "skip"

    def parsed(block_size: int) -> pa.Table:
        bad_lines.clear()
        options = pa_csv.ReadOptions(encoding=encoding, block_size=block_size)
        parse_options = pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            invalid_row_handler=skip,
        )
        with pa_csv.open_csv(
            path, read_options=options, parse_options=parse_options
        ) as first:
            names = list(first.schema.names)
        bad_lines.clear()
        return pa_csv.read_csv(
            path,
            read_options=options,
            parse_options=parse_options,
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=["", "NULL", "null", "NaN", "nan"],
            ),
        )

    _require_encoding(path, encoding)
    try:
        try:
            table = parsed(BLOCK_BYTES)
        except pa.ArrowInvalid as error:
            # A row longer than a block; whether a quote has made it so is to be seen.
            if "straddling" not in str(error):
                raise
            table = parsed(min(path.stat().st_size, MAX_BLOCK_BYTES))
    except (UnicodeError, pa.ArrowException) as error:
        raise InputDataError(
            f"{path} cannot be read as CSV with delimiter {delimiter!r}: {error}. "
            "Check the delimiter and the quotes (`quote: none` if there are none)."
        ) from error
    return table, bad_lines


def _require_encoding(path: Path, encoding: str) -> None:
    """Checks the whole file before Arrow reads it: Arrow prints what it cannot decode.

    Raises:
      InputDataError: a line is not in `encoding`; names the first.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                lines += decoder.decode(block).count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        lines += error.object[: error.start].count(b"\n")
        raise InputDataError(
            f"{path}, line {lines}: not valid {encoding}. Save it as UTF-8 or "
            "name its encoding in the mapping file (`encoding: latin-1` of Western "
            "Europe, `gb18030` of China)."
        ) from error


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
