"""Artifact types of the compression."""

from tfx.types.artifact import Artifact


class CompressionFacts(Artifact):  # type: ignore[misc]
    """Folder with `compression.json` (docs/compression.md)."""

    TYPE_NAME = "components.CompressionFacts"
