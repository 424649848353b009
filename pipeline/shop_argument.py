"""SHOP on the command line: a shop's name, or the path of one's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from core.errors import ConfigError


class ShopArgument(NamedTuple):
    """What SHOP means."""

    name: str  # of its folder in the home
    source: str  # an adapter's name
    data: Path | None


def shop_argument(shop: str, data: Path | None = None) -> ShopArgument:
    """What `souk run SHOP` reads.

    Args:
      shop: a name of `shops.NAMES`, or a path.
      data: the option --data.

    Raises:
      ConfigError: there is no such shop; `data` stands beside a path.
    """
    import shops  # pandas and Arrow: not for `souk --help`

    if shop in shops.NAMES:
        return ShopArgument(shop, shop, data.resolve() if data else None)
    own = Path(shop)
    if not own.exists():
        raise ConfigError(
            f"SHOP must be one of {', '.join(shops.NAMES)}, or the path of one's own "
            f"tables. Received: {shop!r}, and nothing lies there."
        )
    if data is not None:
        raise ConfigError(
            f"The tables of `{shop}` lie there: leave `--data` out. Received: {data}."
        )
    return ShopArgument(shops.own_name(own), shops.TABLES, own.resolve())


def shop_name(shop: str) -> str:
    """The name of a shop that was run: a path stands for its tables' name."""
    if not Path(shop).exists():
        return shop
    import shops

    return shops.own_name(Path(shop))
