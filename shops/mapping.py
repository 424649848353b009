"""The mapping file of a user's own tables: shop.yaml (docs/data.md shows one)."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from core import context_names
from core import tables as contract
from core.config import Config, SplitConfig
from core.errors import ConfigError, InputDataError
from core.features import EVENTS
from shops.columns import UTC

FILE_NAMES = ("shop.yaml", "shop.yml")
UNITS = ("s", "ms", "us", "ns")
ISO = "iso"
DOUBLE, NO_QUOTES = "double", "none"
QUOTES = (DOUBLE, NO_QUOTES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableMapping(Config):
    """One file: which of its columns is which canonical column."""

    file: str  # or a folder of parts, or a pattern such as events/*.parquet
    columns: dict[str, str] = dataclasses.field(default_factory=dict)
    encoding: str = "utf8"
    delimiter: str | None = None
    quote: str = DOUBLE  # of a CSV file: whether a `"` opens a cell

    def __post_init__(self) -> None:
        self.require(
            self.delimiter is None
            or (len(self.delimiter) == 1 and self.delimiter.isascii()),
            "delimiter",
            'one ASCII character (a tab is "\\t")',
        )
        self.require(
            _is_encoding(self.encoding),
            "encoding",
            "a name of Python's text encodings, such as utf8, latin-1 or gb18030",
        )
        self.require(self.quote in QUOTES, "quote", f"one of {', '.join(QUOTES)}")

    def source(self, canonical: str) -> str:
        """The file's name for a canonical column; the same name if none is given."""
        return self.columns.get(canonical, canonical)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mapping(Config):
    """Everything that a mapping file says."""

    items: TableMapping
    events: TableMapping | None = None  # None: a shop without a log
    judgments: TableMapping | None = None
    name: str = "tables"
    currency: str = ""
    # The file's words for view, click, cart, purchase.
    event_names: dict[str, str] = dataclasses.field(default_factory=dict)
    # What every row is, where the file has no event column.
    event: str | None = None
    # `iso`, a unit (s, ms, us, ns since 1970) or a strptime format.
    timestamp: str = ISO
    # Where times that name no offset were written.
    timezone: str = UTC
    # souk's name -> the log's column.
    context: dict[str, str] = dataclasses.field(default_factory=dict)
    # Settings of SplitConfig; test_start may be missing.
    splits: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, mapped in (
            ("items", self.items),
            ("events", self.events),
            ("judgments", self.judgments),
        ):
            known = {c.name for c in contract.TABLES[table]}
            unknown = sorted(set(mapped.columns if mapped else {}) - known)
            if unknown:
                raise ConfigError(
                    f"`{table}.columns` maps canonical names, on the left, to the "
                    f"file's. Not canonical: {', '.join(unknown)}. "
                    f"Known: {', '.join(sorted(known))}."
                )
        wrong = context_names.unusable(self.context)
        self.require(
            not wrong,
            "context",
            context_names.RULE,
            f"Give {', '.join(map(repr, wrong))} another name, souk's on the left: "
            "`context: {device_type: device-type}`.",
        )
        self.require(
            set(self.event_names.values()) <= set(EVENTS),
            "event_names",
            f"the shop's word: one of {', '.join(EVENTS)}",
        )
        self.require(
            self.event is None or self.event in EVENTS,
            "event",
            f"one of {', '.join(EVENTS)}",
        )
        self.require(
            self.timestamp == ISO or self.timestamp in UNITS or "%" in self.timestamp,
            "timestamp",
            f"`iso`, {', '.join(UNITS)} or a format such as %Y-%m-%d %H:%M:%S",
        )
        self.require(
            _is_timezone(self.timezone),
            "timezone",
            "a name of the time zone database, such as Asia/Shanghai, or an offset",
            'Put an offset in quotes: `timezone: "+08:00"`.',
        )


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True


def _is_timezone(name: str) -> bool:
    try:
        pd.Timestamp(0, tz=name)
    except (LookupError, ValueError):
        return False
    return True


def read_mapping(path: Path) -> tuple[Mapping, Path]:
    """The mapping at `path` (a YAML file, or a folder) and the folder of its files.

    A folder without a mapping file must hold items.*, and events.* or judgments.*,
    with canonical names.

    Raises:
      InputDataError: nothing there, or it is not YAML.
      ConfigError: a setting is unknown or out of range.
    """
    if path.is_dir():
        found = mapping_files(path)
        return (_parse(found[0]), path) if found else (_canonical(path), path)
    if path.is_file():
        return _parse(path), path.parent
    raise InputDataError(f"No file or folder {path}. Check the path given to --data.")


def mapping_files(folder: Path) -> list[Path]:
    """The mapping files in a folder, first the one that counts."""
    return [folder / name for name in FILE_NAMES if (folder / name).is_file()]


def _parse(path: Path) -> Mapping:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeError) as error:
        raise InputDataError(
            f"{path} is not a YAML mapping file: {error}. docs/data.md shows one."
        ) from error
    if not isinstance(values, dict) or "items" not in values:
        raise InputDataError(
            f"{path} must name at least `items`. docs/data.md shows one."
        )
    # An empty setting is one that is not there.
    values = {name: value for name, value in values.items() if value is not None}
    for table in ("items", "events", "judgments"):
        if isinstance(values.get(table), str):
            values[table] = {"file": values[table]}
        if isinstance(values.get(table), dict):
            values[table] = _table(values[table])
    try:
        if "context" in values:
            values["context"] = _context(values["context"])
        mapping = Mapping.from_dict(values)
        splits = dict(mapping.splits)
        if "test_start" in splits:
            splits["test_start"] = _seconds(splits["test_start"], mapping.timezone)
        SplitConfig.from_dict({"test_start": 1, **splits})  # checked where it stands
    except (ConfigError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error} docs/data.md shows a mapping.") from error
    return mapping.replace(splits=splits)


def _table(values: dict[str, Any]) -> dict[str, Any]:
    """A table's settings without the empty ones, `\\t` read as a tab."""
    kept = {name: value for name, value in values.items() if value is not None}
    if kept.get("delimiter") == "\\t":
        kept["delimiter"] = "\t"
    return kept


def _context(value: Any) -> Any:
    """souk's names with the log's columns; a name or a list is of columns so called."""
    names = [value] if isinstance(value, str) else value
    return {name: name for name in names} if isinstance(names, list) else value


def _seconds(value: Any, zone: str) -> Any:
    """Dates and times, as YAML or as text, as seconds since 1970; others unchanged."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    if not isinstance(value, datetime.date):  # of which a datetime is one
        return value
    time = pd.Timestamp(value)
    return int((time if time.tz else time.tz_localize(zone)).timestamp())


def _canonical(folder: Path) -> Mapping:
    values: dict[str, Any] = {}
    for table in contract.TABLES:
        for suffix in (".parquet", ".csv", ".tsv"):
            if (folder / f"{table}{suffix}").is_file():
                values.setdefault(table, {"file": f"{table}{suffix}"})
    if "items" not in values or len(values) < 2:
        raise InputDataError(
            f"{folder} holds neither {' nor '.join(FILE_NAMES)} nor items.parquet with "
            "events.parquet or judgments.parquet (or .csv). docs/data.md shows a "
            "mapping."
        )
    return Mapping.from_dict(values)
