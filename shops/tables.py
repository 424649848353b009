"""A shop from a user's own Parquet or CSV files and a small mapping file."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pyarrow as pa

from core import tables as canonical
from core.config import ShopConfig, SplitConfig
from core.errors import InputDataError
from core.features import (
    EVENT,
    EVENTS,
    ITEM_ID,
    PURCHASE,
    QUERY,
    SECONDS_PER_DAY,
    TIMESTAMP,
)
from shops import contract, files, raw_rows
from shops.checks import check_items, check_judgments
from shops.columns import RowChecks, read_column
from shops.mapping import NO_QUOTES, Mapping, TableMapping, mapping_files, read_mapping
from shops.shop import NO_SPLITS, Shop, Tables
from shops.text import normalize_column

# Weights of the events in the ranking score: what a shop earns by, with a share for
# the steps before it.
EVENT_WEIGHTS = {"view": 0.02, "click": 0.1, "cart": 0.3, "purchase": 1.0}


def load(data: Path, *, now: int | None = None) -> Shop:
    """The shop that a mapping file, or a folder with canonical names, describes.

    A mapping without `events` gives an empty events table.

    Args:
      data: shop.yaml, or the folder that holds it.
      now: seconds since 1970; later timestamps are rejected. Default: the clock.

    Raises:
      InputDataError: a file, column or too many values break the data contract.
      ConfigError: the mapping has an unknown or wrong setting.
    """
    mapping, folder = read_mapping(data)
    items, rejected_items = _read_items(mapping, folder)
    ids = set(items[ITEM_ID])
    rejected = [rejected_items]
    now = int(time.time()) if now is None else now
    events = judgments = None
    if mapping.events is not None:
        events, rejected_events = _read_events(
            mapping, mapping.events, folder, ids, now
        )
        rejected.append(rejected_events)
    if mapping.judgments is not None:
        judged, rejected_judgments = _read_judgments(mapping.judgments, folder, ids)
        judgments = contract.to_table(judged, "judgments")
        rejected.append(rejected_judgments)
    return Shop(
        tables=Tables(
            items=contract.to_table(items, "items"),
            events=contract.no_events(tuple(mapping.context))
            if events is None
            else contract.to_table(events, "events", tuple(mapping.context)),
            judgments=judgments,
            rejected=pa.concat_tables(rejected),
        ),
        config=_shop_config(mapping, events),
        splits=_splits(mapping, events),
    )


def sources(data: Path) -> list[Path]:
    """The files that `load` reads, the mapping file among them.

    Raises:
      InputDataError: one is missing.
      ConfigError: the mapping has an unknown or wrong setting.
    """
    mapping, folder = read_mapping(data)
    found = [data] if data.is_file() else mapping_files(data)
    for mapped in (mapping.items, mapping.events, mapping.judgments):
        if mapped is not None:
            found += files.parts(folder / mapped.file)
    return found


def _read_items(mapping: Mapping, folder: Path) -> tuple[pd.DataFrame, pa.Table]:
    frame, checks = _read(folder, "items", mapping.items)
    check_items(frame, checks)
    return checks.split(frame)


def _read_events(
    mapping: Mapping, mapped: TableMapping, folder: Path, ids: set[str], now: int
) -> tuple[pd.DataFrame, pa.Table]:
    frame, checks = _read(folder, "events", mapped, mapping=mapping)
    checks.reject(frame["user_id"].isna(), canonical.NO_USER_ID)
    checks.reject(frame["item_id"].isna(), "no item_id")
    checks.reject(frame[TIMESTAMP].isna(), "no timestamp")
    checks.reject(~frame["item_id"].isin(ids), "item_id is not in items")
    checks.reject(frame[TIMESTAMP] > now, "timestamp is in the future")
    checks.reject(frame[TIMESTAMP] < 0, "timestamp is before 1970")
    checks.reject_if_not_above_zero(frame, "quantity")
    checks.reject_if_not_above_zero(frame, "price")
    if QUERY in frame:
        frame[QUERY] = normalize_column(frame[QUERY])
    if "position" in frame:
        checks.reject(frame["position"] < 0, "position below zero")
    _name_events(frame, checks, mapping)
    return checks.split(frame)


def _read_judgments(
    mapped: TableMapping, folder: Path, ids: set[str]
) -> tuple[pd.DataFrame, pa.Table]:
    frame, checks = _read(folder, "judgments", mapped)
    check_judgments(frame, checks, ids)
    return checks.split(frame)


def _read(
    folder: Path, table: str, mapped: TableMapping, mapping: Mapping | None = None
) -> tuple[pd.DataFrame, RowChecks]:
    """The file's columns under canonical names, parsed, and the rows in doubt."""
    path = folder / mapped.file
    raw, bad_lines = files.read_file(
        path,
        encoding=mapped.encoding,
        delimiter=mapped.delimiter,
        quoted=mapped.quote != NO_QUOTES,
    )
    checks = RowChecks(
        table=table, path=path, raw=raw_rows.to_frame(raw), lines=bad_lines
    )
    constant = mapping.event if mapping else None
    wanted = {column.name: column for column in canonical.TABLES[table]}
    frame = pd.DataFrame(index=checks.raw.index)
    for name, column in wanted.items():
        source = mapped.source(name)
        if name == EVENT and constant and source not in raw.column_names:
            frame[name] = constant
        elif source in raw.column_names:
            raw_rows.require_readable(path, raw, source, column)
            times = (mapping.timestamp, mapping.timezone) if mapping else ()
            frame[name] = read_column(checks, source, column, *times)
        elif column.required or name in mapped.columns:
            raise _no_column(path, table, name, source, raw.column_names)
    for name, source in (mapping.context if mapping else {}).items():
        if source not in raw.column_names:
            raise _no_context(path, name, source, raw.column_names)
        text = canonical.Column(name=name, kind="string")
        raw_rows.require_readable(path, raw, source, text)
        frame[name] = read_column(checks, source, text)
    return frame, checks


def _no_column(
    path: Path, table: str, name: str, source: str, found: list[str]
) -> InputDataError:
    return InputDataError(
        f"{path} has no column {source!r}, which `{table}` needs as `{name}`. Found: "
        f"{', '.join(found)}. Map it in shop.yaml (`columns: {{{name}: ...}}`)."
    )


def _no_context(path: Path, name: str, source: str, found: list[str]) -> InputDataError:
    return InputDataError(
        f"{path} has no column {source!r}, which `context` needs as `{name}`. Found: "
        f"{', '.join(found)}. Map it in shop.yaml (`context: {{{name}: ...}}`)."
    )


def _name_events(frame: pd.DataFrame, checks: RowChecks, mapping: Mapping) -> None:
    words = {**{event: event for event in EVENTS}, **mapping.event_names}
    named = frame[EVENT].map(words)
    if named.isna().all():
        received = ", ".join(map(repr, frame[EVENT].dropna().unique()[:5]))
        raise InputDataError(
            f"{checks.path}: `event` must be one of {', '.join(EVENTS)}. Received: "
            f"{received or 'nothing'}. Map the words in `event_names`, or set `event`."
        )
    checks.reject(named.isna(), f"event is not one of {', '.join(EVENTS)}")
    frame[EVENT] = named


def _shop_config(mapping: Mapping, events: pd.DataFrame | None) -> ShopConfig:
    if events is None:
        return ShopConfig(
            name=mapping.name,
            context_features=tuple(mapping.context),
            currency=mapping.currency,
        )
    present = set(events[EVENT].unique())
    event_types = tuple(event for event in EVENTS if event in present)
    return ShopConfig(
        name=mapping.name,
        event_types=event_types,
        event_weights=tuple(EVENT_WEIGHTS[event] for event in event_types),
        target_event=PURCHASE if PURCHASE in present else event_types[-1],
        context_features=tuple(mapping.context),
        currency=mapping.currency,
    )


def _splits(mapping: Mapping, events: pd.DataFrame | None) -> SplitConfig:
    """The mapping's splits; the test split is the last horizon if it names none."""
    values = dict(mapping.splits)
    if events is None:
        return SplitConfig.from_dict({**NO_SPLITS.to_dict(), **values})
    horizon = values.get("horizon_days", SplitConfig.horizon_days)
    last = int(events[TIMESTAMP].max())
    values.setdefault("test_start", last + 1 - int(horizon) * SECONDS_PER_DAY)
    return SplitConfig.from_dict(values)
