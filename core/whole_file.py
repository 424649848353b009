"""Files that readers see as they were or as they are now, never in part."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A path beside `path`; what is written there takes its place at the block's end.

    Where the block fails, `path` stays as it was and nothing is left beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name's end stays: some writers go by it.
    hidden = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        yield hidden
        os.replace(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
