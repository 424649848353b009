"""The artifact of the step."""

from __future__ import annotations

from tfx.types import artifact


class ItemTablesArtifact(artifact.Artifact):
    """`as_of=<cutoff seconds>/tables.npz` for every cut-off of the grid and T2."""

    TYPE_NAME = "SoukItemTables"
