"""Which model blessed before can be measured beside a new one, on the same test."""

from __future__ import annotations

from pathlib import Path

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.comparable import is_comparable


class LatestComparableModel(LatestBlessedModelStrategy):  # type: ignore[misc]
    """The newest blessed model that `is_comparable`, with its blessing; or none.

    A folder may be gone: the home was moved, or old runs were deleted.
    """

    def __init__(self, target_event: str, test_start: int) -> None:
        super().__init__()
        self._target_event = target_event
        self._test_start = test_start

    def resolve_artifacts(
        self,
        store: mlmd.MetadataStore,
        input_dict: dict[str, list[types.Artifact]],
    ) -> dict[str, list[types.Artifact]] | None:
        kept = {
            name: [artifact for artifact in artifacts if self._may_be_used(artifact)]
            for name, artifacts in input_dict.items()
        }
        found: dict[str, list[types.Artifact]] | None
        found = super().resolve_artifacts(store, kept)
        return found

    def _may_be_used(self, artifact: types.Artifact) -> bool:
        if not isinstance(artifact, standard_artifacts.Model):
            return True
        folder = Path(path_utils.serving_model_path(artifact.uri))
        return is_comparable(folder, self._target_event, self._test_start)
