"""The artifact of the step, beside the standard Model."""

from __future__ import annotations

from tfx.types import artifact


class ItemVectorsArtifact(artifact.Artifact):
    """`item_vectors.npy`: [n, d] float32 in catalogue order, norm 1 or zero."""

    TYPE_NAME = "components.ItemVectorsArtifact"
