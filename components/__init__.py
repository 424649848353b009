"""An artifact becomes another artifact: one folder per TFX component.

Artifact types of our own are found as `components.NAME` as well: on Kubeflow the name
of a type is all that a container gets, and TFX imports the class by it (one dot only).
"""

from __future__ import annotations

import importlib
from typing import Any

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TFX imports TensorFlow)

ARTIFACT_MODULES = {
    "CandidatesArtifact": "components.mine_negatives.artifacts",
    "CleanSummary": "components.data_artifacts",
    "CompressionFacts": "components.compress.artifacts",
    "FunnelMetrics": "components.evaluate_funnel.artifacts",
    "GateReport": "components.data_artifacts",
    "GateVerdicts": "components.gates.artifacts",
    "HtmlReport": "components.report.artifacts",
    "ItemTablesArtifact": "components.item_neighbours.artifacts",
    "ItemVectorsArtifact": "components.text_encoder.artifacts",
    "RejectedRows": "components.data_artifacts",
    "SearchMetrics": "components.evaluate_search.artifacts",
}


def __getattr__(name: str) -> Any:
    if name not in ARTIFACT_MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(ARTIFACT_MODULES[name]), name)
