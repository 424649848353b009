"""Brings a shop's canonical tables into its home, once per source and seed."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

import shops
from components.bundle.metadata import METADATA_FILE
from components.comparable import bundle_facts
from components.pusher.push import newest_version
from core import features
from core.config import ShopConfig, SplitConfig
from core.errors import InputDataError
from core.layout import HomeLayout


def ensure_tables(
    layout: HomeLayout,
    shop: str,
    *,
    data: Path | None,
    seed: int,
    without_events: bool = True,
) -> tuple[ShopConfig, SplitConfig]:
    """The shop's settings; its tables lie in `layout.tables` afterwards.

    Tables are written again only where the source changed (name, seed, or the size and
    time of any of its files), so that an unchanged shop keeps its cached pipeline.

    Args:
      layout: where the tables go.
      shop: an adapter's name.
      data: a file or folder of the shop's own data, where the adapter needs one.
      seed: of a simulated shop.
      without_events: whether a shop whose served version learnt from events may have
        none now.

    Raises:
      InputDataError: the data break the contract, or the events are gone.
    """
    source = _fingerprint(shop, data, seed)
    found = _known(layout, source)
    is_new = found is None
    found = found or _load(shop, data, seed)
    if not found.config.has_events and not without_events:
        _refuse_lost_events(layout, data)
    if is_new:
        shops.write_tables(found, layout.tables, source)
    return found.config, found.splits


def shop_settings(
    layout: HomeLayout, shop: str, *, data: Path | None, seed: int
) -> tuple[ShopConfig, SplitConfig]:
    """As `ensure_tables`, for who only asks: nothing is written, no lock is needed."""
    found = _known(layout, _fingerprint(shop, data, seed)) or _load(shop, data, seed)
    return found.config, found.splits


def settings_layout(
    layout: HomeLayout, scratch: Path, shop: str, *, data: Path | None, seed: int
) -> HomeLayout:
    """Where `ensure_tables` may go to only compile a shop's pipeline.

    The home itself, where it has these tables or none; else `scratch`: what a run has
    left there, and `souk query` reads, is not replaced by other data.
    """
    if not layout.tables.exists():
        return layout
    same = shops.read_source(layout.tables) == _fingerprint(shop, data, seed)
    return layout if same else HomeLayout(scratch, layout.shop)


def newest_event(layout: HomeLayout) -> int:
    """Time of the shop's newest event, seconds UTC."""
    path = layout.tables / "events.parquet"
    times = pq.read_table(path, columns=[features.TIMESTAMP])[features.TIMESTAMP]
    return int(pc.max(times).as_py())


def _known(layout: HomeLayout, source: dict[str, Any]) -> shops.Shop | None:
    """The shop in the home, if it was made of this source."""
    if shops.read_source(layout.tables) != source:
        return None
    return shops.read_tables(layout.tables)


def _load(shop: str, data: Path | None, seed: int) -> shops.Shop:
    loaded = shops.load(shop, data=data, seed=seed)
    # The one place that decides whether the shop has events.
    settings = loaded.config.replace(has_events=loaded.tables.has_events)
    return dataclasses.replace(loaded, config=settings)


def _refuse_lost_events(layout: HomeLayout, data: Path | None) -> None:
    version = newest_version(layout.serving, METADATA_FILE)
    if version is None:
        return
    if not bundle_facts(version).get("shop", {}).get("has_events"):
        return
    raise InputDataError(
        f"`{data or layout.shop}` must have events: version {version.name}, which is "
        "served, learnt from some. Received: none, and a model of search alone would "
        "take its place. Bring the events back (did their export fail?) and run again. "
        "If the shop is to have none from now on, run it with --without-events. The "
        "tables of the last run and what is served stay."
    )


def _fingerprint(shop: str, data: Path | None, seed: int) -> dict[str, Any]:
    code = hashlib.sha256()
    for path in sorted(Path(shops.__file__).parent.rglob("*.py")):
        code.update(path.read_bytes())
    files: list[list[Any]] = []
    for path in shops.sources(shop, data):
        status = path.stat()
        files.append([str(path), status.st_size, status.st_mtime_ns])
    return {
        "shop": shop,
        "seed": seed,
        "files": files,
        "code": code.hexdigest(),
    }
