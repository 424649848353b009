"""Artifact type of the search evaluation."""

from tfx.types.artifact import Artifact


class SearchMetrics(Artifact):  # type: ignore[misc]
    """Folder with `search_metrics.json` (schema in docs/search-evaluation.md)."""

    TYPE_NAME = "components.SearchMetrics"
