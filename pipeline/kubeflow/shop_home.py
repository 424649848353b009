"""A shop's folder in the shared home, by the run parameters `home` and `shop`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from core.errors import ConfigError
from core.layout import HomeLayout


def layout_of(home: str, shop: str) -> HomeLayout:
    """Where the run reads and writes.

    Raises:
      ConfigError: the shop is no name of a folder.
    """
    check_shop(shop)
    return HomeLayout(Path(home), shop)


def check_shop(shop: str) -> None:
    """Returns where `shop` is one folder's name: others lead out of the shop's own.

    Raises:
      ConfigError: it is not.
    """
    if shop in ("", "..") or shop != PurePosixPath(shop).name:
        raise ConfigError(
            f"`shop` must be the name of a folder in the home. Received: {shop!r}. "
            "Leave the parameter out for the compiled shop."
        )
