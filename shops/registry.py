"""Shops by name."""

from __future__ import annotations

from pathlib import Path

from core.errors import ConfigError
from shops import online_retail, tables
from shops.shop import Shop
from shops.simulated import simulate
from shops.simulated.config import SIZES

ONLINE_RETAIL = "online-retail"
TABLES = "tables"
NAMES = (*SIZES, ONLINE_RETAIL, TABLES)


def load(name: str, *, data: Path | None = None, seed: int = 0) -> Shop:
    """The shop called `name`, or the user's own tables if `name` is a path.

    Args:
      name: one of `NAMES`, or the path of a mapping file or of a folder with one.
      data: where `online-retail` and `tables` find their files.
      seed: of the simulated shops.

    Raises:
      ConfigError: there is no such shop.
      InputDataError: a file breaks the data contract.
    """
    if name in SIZES:
        return simulate(name, seed=seed)
    if name == ONLINE_RETAIL:
        return online_retail.load(data)
    if name == TABLES and data is not None:
        return tables.load(data)
    if name == TABLES:
        raise ConfigError(
            "The shop `tables` needs a mapping file or a folder: pass `--data PATH`."
        )
    if Path(name).exists():
        return tables.load(Path(name))
    raise ConfigError(
        f"`shop` must be one of {', '.join(NAMES)}, or a path to one's own tables. "
        f"Received: {name!r}."
    )
