"""Shops by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.errors import ConfigError
from shops import chorus, esci, online_retail, tables, wands
from shops.mapping import FILE_NAMES
from shops.shop import Shop
from shops.simulated import simulate
from shops.simulated.config import SIZES

ONLINE_RETAIL = "online-retail"
TABLES = "tables"
# Adapters of files that `--data` names.
OF_FILES: dict[str, Callable[[Path], Shop]] = {
    wands.NAME: wands.load,
    chorus.NAME: chorus.load,
    **{name: partial(esci.load, **options) for name, options in esci.NAMES.items()},
}
NEED_DATA = (TABLES, *OF_FILES)
NAMES = (*SIZES, ONLINE_RETAIL, *OF_FILES, TABLES)


def load(name: str, *, data: Path | None = None, seed: int = 0) -> Shop:
    """The shop called `name`, or the user's own tables if `name` is a path.

    Args:
      name: one of `NAMES`, or the path of a mapping file or of a folder with one.
      data: where the shops that are not simulated find their files.
      seed: of the simulated shops.

    Raises:
      ConfigError: there is no such shop.
      InputDataError: a file breaks the data contract.
    """
    if name in SIZES:
        return simulate(name, seed=seed)
    if name == ONLINE_RETAIL:
        return online_retail.load(data)
    if name in NEED_DATA:
        if data is None:
            raise ConfigError(
                f"The shop `{name}` needs a file or a folder: pass `--data PATH`."
            )
        return tables.load(data) if name == TABLES else OF_FILES[name](data)
    if Path(name).exists():
        return tables.load(Path(name))
    raise ConfigError(
        f"`shop` must be one of {', '.join(NAMES)}, or a path to one's own tables. "
        f"Received: {name!r}."
    )


def sources(name: str, data: Path | None) -> list[Path]:
    """Files that `load` makes the tables from, or more; none of a simulated shop.

    Raises:
      ConfigError, InputDataError: as `load`, where the files cannot be named.
    """
    if name == TABLES and data is not None:
        return tables.sources(data)
    if data is None:
        return []
    return [data] if data.is_file() else sorted(filter(Path.is_file, data.rglob("*")))


def own_name(path: Path) -> str:
    """What a run of one's own tables is called: its folder, or the mapping file."""
    path = path.resolve()
    if path.is_dir() or path.name in FILE_NAMES:
        return (path if path.is_dir() else path.parent).name
    return path.stem
