"""Artifact types of the evaluation."""

from tfx.types.artifact import Artifact


class FunnelMetrics(Artifact):  # type: ignore[misc]
    """Folder with `metrics.json` (schema in docs/evaluation.md)."""

    TYPE_NAME = "components.FunnelMetrics"
