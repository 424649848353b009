"""A run's tables are those of its own Prepare, or its steps stop.

Tables lie on the volume in a place that all runs of a shop share. Were another run's
read, they would also come from KFP's cache ever after, under this run's fingerprints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import InputDataError
from core.layout import HomeLayout
from pipeline.kubeflow import names, run_values

# What Prepare tells the content of.
TABLES = (*run_values.TABLES, "rejected")


def content(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits; "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def check(parameters: Mapping[str, Any]) -> None:
    """To be asked before and after a step that reads tables, by their fingerprints.

    Args:
      parameters: of the step; one without fingerprints of tables reads none.

    Raises:
      InputDataError: a table is not the one that Prepare has seen.
    """
    for table in TABLES:
        expected = parameters.get(names.fingerprint_of(table))
        if expected is None:
            continue
        root = Path(parameters[names.ROOT])
        path = HomeLayout(root.parent, root.name).tables / f"{table}.parquet"
        if content(path) != expected:
            raise InputDataError(
                f"{path} is no longer what this run's Prepare has seen: another run of "
                "the shop has replaced it. Submit the runs of a shop one after the "
                "other, then this one again."
            )
