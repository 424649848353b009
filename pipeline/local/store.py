"""The metadata store of earlier runs: whole, or a run does not start on it."""

from __future__ import annotations

import contextlib
import sqlite3

from core.errors import ArtifactError
from core.layout import HomeLayout


def check_store(layout: HomeLayout) -> None:
    """Reads the store through, where there is one.

    Raises:
      ArtifactError: it is damaged: ML Metadata would fail on it in every later run.
    """
    path = layout.metadata
    if not path.is_file():
        return
    with contextlib.closing(sqlite3.connect(path)) as store:
        try:
            found = str(store.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError:  # locked, say: not damaged
            raise
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        raise ArtifactError(
            f"`{path}` must be a whole SQLite file. Received: {found}. Move it and "
            f"`{layout.tfx}` aside, both together, and run again: every step then runs "
            "anew. What is served stays."
        )
