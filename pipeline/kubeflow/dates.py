"""Dates as people write them in run parameters."""

from __future__ import annotations

import datetime as dt

from core.errors import ConfigError


def to_seconds(text: str) -> int:
    """Seconds since 1970, UTC, of `2025-06-17` or `2025-06-17T12:00:00`.

    Raises:
      ConfigError: it is no such date.
    """
    try:
        moment = dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise ConfigError(
            f"A date must look like 2025-06-17 or 2025-06-17T12:00:00 (UTC). "
            f"Received: {text!r}. Leave it empty for the shop's own date."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return int(moment.timestamp())
