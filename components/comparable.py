"""Which bundle can be measured beside a new one, by the facts beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.bundle.metadata import METADATA_FILE


def is_comparable(folder: Path, target_event: str, test_start: int) -> bool:
    """Whether a bundle answers the same question and did not see the test period.

    Args:
      folder: of its SavedModel, which may be gone.
      target_event: what the new one predicts.
      test_start: seconds UTC; a bundle of later data knows the answers.
    """
    facts = bundle_facts(folder)
    if not facts:
        return False
    events = facts.get("shop", {}).get("event_types", ())
    return target_event in events and facts.get("as_of", 0) <= test_start


def bundle_facts(folder: Path) -> dict[str, Any]:
    """What `souk.json` says; empty where it is gone or cannot be read.

    Args:
      folder: of the SavedModel, a pushed version's too.
    """
    try:
        facts: dict[str, Any] = json.loads(
            (folder / METADATA_FILE).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return facts
