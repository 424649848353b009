"""The artifact of the step."""

from __future__ import annotations

from tfx.types import artifact


class CandidatesArtifact(artifact.Artifact):
    """`Split-<name>/part-*.npz` (RankerRows) for train, recent, eval; `meta.json`."""

    TYPE_NAME = "components.CandidatesArtifact"
