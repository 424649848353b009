"""What a shop adapter says of its own tables."""

from __future__ import annotations

import dataclasses

from core import context_names, features
from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShopConfig(Config):
    """Event types, context and currency of one shop."""

    name: str
    # The event types that the shop logs, weakest first; one ranker task each.
    event_types: tuple[str, ...] = (features.PURCHASE,)
    # Weight of each type's probability in the ranking score, same order.
    event_weights: tuple[float, ...] = (1.0,)
    # What ranking metrics count as relevant.
    target_event: str = features.PURCHASE
    # String columns of `events` that a request may carry (country, device, ...).
    context_features: tuple[str, ...] = ()
    currency: str = ""
    # Whether there is a log at all. Without one nothing is learned from people: the
    # pipeline is the shorter one of pipeline/stages/without_events.py.
    has_events: bool = True

    def __post_init__(self) -> None:
        ordered = [event for event in features.EVENTS if event in self.event_types]
        self.require(
            bool(ordered) and list(self.event_types) == ordered,
            "event_types",
            f"some of {', '.join(features.EVENTS)}, each once, in this order",
            "Weights stand in the same order.",
        )
        self.require(
            len(self.event_weights) == len(self.event_types)
            and min(self.event_weights) >= 0
            and sum(self.event_weights) > 0,
            "event_weights",
            "one weight >= 0 per event type, not all zero",
        )
        self.require(
            self.target_event in self.event_types, "target_event", "an event type"
        )
        names = self.context_features
        wrong = context_names.unusable(names)
        self.require(
            not wrong and len(set(names)) == len(names),
            "context_features",
            f"different {context_names.RULE}",
            f"Rename {', '.join(map(repr, wrong)) or 'what is there twice'}.",
        )
