"""A shop as a folder: Parquet files and shop.json, written before they are visible."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.config import ShopConfig, SplitConfig
from core.errors import InputDataError
from shops.shop import Shop, Tables

SETTINGS = "shop.json"
SOURCE = "source.json"
TABLES = ("items", "events", "judgments", "rejected")
OPTIONAL = ("judgments",)


def write_tables(
    shop: Shop, folder: Path, source: Mapping[str, Any] | None = None
) -> Path:
    """Writes the shop's tables and settings; the folder appears complete or not at all.

    A folder that is there already is replaced. The simulated shop's world is not
    written: `load` with the same name and seed makes it again.

    Args:
      shop: what is written.
      folder: where to.
      source: what the tables were made of, for `read_source`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name in TABLES:
            table = getattr(shop.tables, name)
            if table is not None:
                pq.write_table(table, temporary / f"{name}.parquet", compression="zstd")
        settings = {"shop": shop.config.to_dict(), "splits": shop.splits.to_dict()}
        (temporary / SETTINGS).write_text(
            json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        if source is not None:
            (temporary / SOURCE).write_text(json.dumps(source), encoding="utf-8")
        temporary.chmod(0o755)
        _replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _replace(new: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(new, folder)
        return
    old = folder.with_name(f".{folder.name}-old-{os.getpid()}")
    os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old)


def read_tables(folder: Path) -> Shop:
    """The shop that `write_tables` wrote, without a world.

    Raises:
      InputDataError: a file is missing or is not complete.
    """
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        tables = {name: _read(folder, name) for name in TABLES}
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputDataError(
            f"{folder} must hold {SETTINGS} and {', '.join(TABLES)}.parquet as the "
            f"ingest wrote them: {error}. Delete the folder and run again."
        ) from error
    return Shop(
        tables=Tables(**tables),
        config=ShopConfig.from_dict(settings["shop"]),
        splits=SplitConfig.from_dict(settings["splits"]),
    )


def read_source(folder: Path) -> Any:
    """What `write_tables` was told of the source; None where none can be read."""
    try:
        return json.loads((folder / SOURCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read(folder: Path, name: str) -> pa.Table | None:
    path = folder / f"{name}.parquet"
    return None if name in OPTIONAL and not path.exists() else pq.read_table(path)
