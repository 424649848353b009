"""Patterns of settings that fit no name: most often a typo, which would do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

from core.presets import EXPOSURE_FEATURES, TUNED_ON_FEATURES
from core.progress import say

# In a shop without the columns these fit nothing, and nobody has mistyped them.
_OF_PRESETS = {*EXPOSURE_FEATURES, *TUNED_ON_FEATURES}


def unfit_patterns(patterns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Those of the patterns that fit none of the names, in their order."""
    return [p for p in patterns if not any(fnmatch(name, p) for name in names)]


def say_unfit_features(
    step: str, setting: str, patterns: Iterable[str], names: Sequence[str]
) -> None:
    """Reports the patterns that leave no feature out, but for the presets' own.

    Args:
      step: that reads them.
      setting: that holds them.
      patterns: as shells have them, `item_buyers_*`.
      names: of the features.
    """
    unfit = [p for p in unfit_patterns(patterns, names) if p not in _OF_PRESETS]
    if unfit:
        say(step, f"`{setting}`: no feature is named {', '.join(unfit)} (typo?)")
