"""Columns of a user's file: parsing, and rows set aside with a reason."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from core.errors import InputDataError
from core.features import TIMESTAMP
from core.progress import counted
from core.tables import Column
from shops import contract
from shops.raw_rows import whole_numbers

# A column of which more than this share cannot be read has the wrong type: an error;
# fewer are rows to reject.
MAX_UNREADABLE = 0.1
MAX_SHOWN = 300  # characters of a row in a message
UNIT_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
ISO = "iso"
# pandas 1 guesses the form of each value, 11.02. as November: only these are ISO 8601.
# BigQuery writes "UTC".
_ISO_TIME = re.compile(
    r"\d{4}-?\d\d-?\d\d"
    r"(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:\.\d{1,9})?)?)?"
    r" ?(?P<offset>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_SECONDS = re.compile(r"\d{9,11}")  # of 1973 to 5138; a date has 8 digits
UTC = "UTC"
# pandas 2 infers one format from the first value unless it is told that all are ISO.
ISO_FORMAT = "ISO8601" if int(pd.__version__.split(".")[0]) >= 2 else None
KINDS = {"int64": "a whole number", "float32": "a number", "string": "text"}


@dataclasses.dataclass(kw_only=True)
class RowChecks:
    """The raw rows of one file and the first reason to reject each of them."""

    table: str
    path: Path
    raw: pd.DataFrame
    lines: list[str]  # CSV lines with a wrong number of columns
    reasons: pd.Series = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.reasons = pd.Series(None, index=self.raw.index, dtype=object)

    def reject(self, bad: pd.Series, reason: str) -> None:
        """Marks the rows where `bad` holds, if nothing else was wrong with them."""
        marked = bad.fillna(False).astype(bool) & self.reasons.isna()
        self.reasons[marked] = reason

    def reject_if_not_above_zero(self, frame: pd.DataFrame, name: str) -> None:
        if name in frame:
            self.reject(frame[name] <= 0, f"{name} is not above zero")

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pa.Table]:
        """The rows kept and the `rejected` table.

        Raises:
          InputDataError: no row is left.
        """
        kept = self.reasons.isna()
        if not kept.any():
            raise InputDataError(self._all_rejected())
        bad = contract.rejected_rows(self.table, self.raw[~kept], self.reasons[~kept])
        cut = pd.DataFrame({"line": self.lines})
        reasons = pd.Series(["wrong number of columns"] * len(cut), dtype=object)
        return frame[kept].reset_index(drop=True), pa.concat_tables(
            [bad, contract.rejected_rows(self.table, cut, reasons)]
        )

    def _all_rejected(self) -> str:
        counts = self.reasons.value_counts()
        reason, rows = counts.index[0], counted(int(counts.iloc[0]), "row")
        of_it = self.reasons[self.reasons == reason].head(1)
        shown = contract.rejected_rows(self.table, self.raw.loc[of_it.index], of_it)
        return (
            f"{self.path}: no row of `{self.table}` obeys the data contract; the first "
            f"reason: {reason} ({rows}, such as "
            f"{shown.column('row')[0].as_py()[:MAX_SHOWN]}). Check the mapping file "
            "against the file: its columns, and the unit or form of its times."
        )


def read_column(
    checks: RowChecks,
    source: str,
    column: Column,
    form: str | None = None,
    zone: str = UTC,
) -> pd.Series:
    """[R] the column's values in its canonical kind, null where there are none.

    Values that cannot be read set their row aside.

    Args:
      checks: the file's rows.
      source: the column's name in the file.
      column: what it becomes.
      form: for timestamps, `iso`, a unit or a strptime format.
      zone: for timestamps, where those without an offset were written.

    Raises:
      InputDataError: more than MAX_UNREADABLE of the values cannot be read.
    """
    raw = checks.raw[source]
    if column.kind == "string":
        if pd.api.types.is_float_dtype(raw):
            raw = whole_numbers(raw, checks.path)
        text = raw.astype("string").str.strip().astype(object)
        return text.where(text.notna() & (text != ""), None)
    if pd.api.types.is_bool_dtype(raw):
        raw = raw.astype("Int64")
    if column.name == TIMESTAMP:
        form = form or ISO
        parsed = _seconds(raw, form, zone)
    else:
        parsed = pd.to_numeric(raw, errors="coerce")
    exact = parsed.to_numpy("float64", na_value=np.nan)
    if column.kind == "int64":
        exact = np.where(exact == np.floor(exact), exact, np.nan)
    parsed = parsed.where(np.isfinite(exact))
    _check(checks, raw, parsed, column, form)
    return parsed.astype("Int64" if column.kind == "int64" else "float64")


def _seconds(raw: pd.Series, form: str, zone: str) -> pd.Series:
    """Whole seconds since 1970, null where a value is no time of the form."""
    is_number = pd.api.types.is_numeric_dtype(raw)
    if form in UNIT_PER_SECOND or (is_number and form == ISO):
        return pd.to_numeric(raw, errors="coerce") // UNIT_PER_SECOND.get(form, 1)
    if form == ISO:
        return _iso_seconds(raw, zone)
    if is_number:  # 20250131 of the form %Y%m%d
        raw = raw.astype("Int64").astype("string").astype(object)
    return _counted(raw, form, UTC if "%z" in form.lower() else zone)


def _iso_seconds(raw: pd.Series, zone: str) -> pd.Series:
    """Of times, of their ISO 8601 texts, and of texts of seconds."""
    if pd.api.types.is_datetime64_any_dtype(raw):
        return _counted(raw, None, zone if raw.dt.tz is None else UTC)
    text = raw.astype("string").str.strip().astype(object)
    found = text.map(lambda t: isinstance(t, str) and _ISO_TIME.fullmatch(t))
    is_time, has_offset = found.map(bool), found.map(lambda f: bool(f and f["offset"]))
    is_count = text.map(lambda t: isinstance(t, str) and bool(_SECONDS.fullmatch(t)))
    times = text.where(is_time, None).str.replace(" ?UTC$", "Z", regex=True)
    counts = pd.to_numeric(text.where(is_count, None))
    local = _counted(times.where(~has_offset, None), ISO_FORMAT, zone)
    return _counted(times.where(has_offset, None), ISO_FORMAT, UTC).fillna(
        local.fillna(counts)
    )


def _counted(raw: pd.Series, form: str | None, zone: str) -> pd.Series:
    """Seconds since 1970 as float64, NaN where the value is no time of the form.

    Of the two times that an hour has when the clocks go back, the second.
    """
    try:
        times = pd.to_datetime(raw, format=form, errors="coerce", utc=True)
    except (ValueError, TypeError, OverflowError):
        return pd.Series(np.nan, index=raw.index)
    times = times.dt.tz_localize(None)
    if zone != UTC:
        times = times.dt.tz_localize(
            zone,
            ambiguous=np.zeros(len(times), bool),
            nonexistent="shift_forward",
        ).dt.tz_convert(None)
    seconds = times.to_numpy("datetime64[s]").astype("int64")
    return pd.Series(seconds, index=raw.index).where(times.notna())


def _check(
    checks: RowChecks,
    raw: pd.Series,
    parsed: pd.Series,
    column: Column,
    form: str | None,
) -> None:
    bad = raw.notna() & parsed.isna()
    if not bad.any():
        return
    kind = KINDS[column.kind]
    if column.name == TIMESTAMP:
        kind = f"a time of the form {form}"
    if bad.sum() > MAX_UNREADABLE * raw.notna().sum():
        rows = ", ".join(str(i + 1) for i in np.flatnonzero(bad)[:5])
        raise InputDataError(
            f"{checks.path}: column {raw.name!r} must hold {kind} for `{column.name}`. "
            f"{int(bad.sum())} of {len(raw)} values do not; rows {rows} (header not "
            f"counted), the first is {raw[bad].iloc[0]!r}. Correct the file or the "
            "mapping."
        )
    checks.reject(bad, f"{column.name} is not {kind}")
