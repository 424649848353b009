"""JSON that steps write for people and for later steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: str | Path, values: Mapping[str, Any]) -> Path:
    """Writes the values readably, in UTF-8, and returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values, indent=1, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path
