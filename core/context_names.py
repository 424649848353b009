"""What a shop may call its context: an input of signatures and a column of moments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core import features, signatures

RULE = (
    "names of ASCII letters, digits and underscores that begin with a letter and are "
    "none of souk's own"
)
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
# What steps add to moments and events: Clean's price of an event, the slices of
# EvaluateFunnel, the label of RankExamples.
_ADDED = ("event_price", "activity_bucket", "returning", "price_bucket", "label")
OWN_NAMES = frozenset(_ADDED).union(
    value
    for module in (features, signatures)
    for value in vars(module).values()
    if isinstance(value, str)
)


def unusable(names: Iterable[str]) -> list[str]:
    """Those of the names that break `RULE`, in their order."""
    return [n for n in names if not _NAME.fullmatch(n) or n in OWN_NAMES]
