"""Settings that a part has because its class has them, and that no step reads there."""

from __future__ import annotations

import dataclasses

from core.config.ranker import RankerConfig
from core.config.souk import SoukConfig
from core.errors import ConfigError

# What a page is worth follows from what people did on it: `search.event_gains`.
_OF_PAGES = {"target_event", "event_weights"}
# One ranker of both sides (trainer/ranker/joint.py) is trained as `ranker` says, with
# the losses of `search_ranker`, which besides says how pages are seen and judged.
_LOSSES = {"listwise_loss", "listwise_weight", "new_weight", "other_events_weight"}
_JOINTLY = {
    *("listwise_weight", "new_weight", "ignored_features"),
    *("top_k", "choice_new"),
}


def require_read(before: SoukConfig, after: SoukConfig) -> None:
    """Refuses a change that would change nothing.

    Args:
      before: all settings.
      after: the same with some changed, but for `joint_ranker`.

    Raises:
      ConfigError: a setting differs that no step reads.
    """
    unread, when = {"search_ranker": _OF_PAGES}, ""
    if after.joint_ranker:
        every = {field.name for field in dataclasses.fields(RankerConfig)}
        unread = {"ranker": _LOSSES, "search_ranker": every - _JOINTLY}
        when = " with --joint-ranker"
    for part, names in unread.items():
        old, new = getattr(before, part), getattr(after, part)
        for name in sorted(names):
            if getattr(old, name) != getattr(new, name):
                raise ConfigError(
                    f"`{part}.{name}` must be left out: no step reads it{when} "
                    f"(docs/settings.md). Received: {getattr(new, name)!r}."
                )
