"""Artifact types of the gates."""

from tfx.types.artifact import Artifact


class GateVerdicts(Artifact):  # type: ignore[misc]
    """Folder with `verdicts.json`: {"blessed": bool, "verdicts": [Verdict, ...]}."""

    TYPE_NAME = "components.GateVerdicts"
