"""The artifact of the step."""

from __future__ import annotations

from tfx.types import artifact


class ItemTablesArtifact(artifact.Artifact):
    """`as_of=<cutoff seconds>/` for every cut-off of the grid and T2.

    Each holds `tables.npz`, `query_clicks.npz` and `propensities.json`.
    """

    TYPE_NAME = "components.ItemTablesArtifact"
