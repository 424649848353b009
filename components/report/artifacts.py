"""Artifact types of the report."""

from tfx.types.artifact import Artifact


class HtmlReport(Artifact):  # type: ignore[misc]
    """Folder with `index.html`; custom property `path` is where people read it."""

    TYPE_NAME = "components.HtmlReport"
