"""Moments, item tables and the retriever → ranker rows."""

from __future__ import annotations

import logging
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.mine_negatives import mine_splits
from core.config import ShopConfig
from core.config.funnel import FunnelConfig

_log = logging.getLogger(__name__)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Artifacts to paths; the work is in `mine_splits`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Mines every cut-off with the tables as of it.

        Args:
          input_dict:
            - moments: Examples of JoinHistory, splits `train`, `recent`, `eval`.
            - tables: ItemTablesArtifact.
            - retriever: Model, optional: its cosine joins the first stage.
          output_dict:
            - candidates: CandidatesArtifact.
          exec_properties:
            - shop, config: JSON of ShopConfig and FunnelConfig.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        models = input_dict.get("retriever") or []
        counts = mine_splits.mine_splits(
            artifact_utils.get_single_instance(input_dict["moments"]).uri,
            artifact_utils.get_single_instance(input_dict["tables"]).uri,
            artifact_utils.get_single_instance(output_dict["candidates"]).uri,
            shop=ShopConfig.from_json(exec_properties["shop"]),
            config=FunnelConfig.from_json(exec_properties["config"]),
            pipeline=self._make_beam_pipeline(),
            retriever=path_utils.serving_model_path(models[0].uri) if models else None,
        )
        _log.info("Mined rows: %s", counts)
