"""Artifacts to paths and back, for MineSearches."""

from __future__ import annotations

import logging
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.mine_searches import mine_searches
from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig

_log = logging.getLogger(__name__)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Artifacts to paths; the work is in `mine_searches`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Mines every page with the tables as of the cut-off before it.

        Args:
          input_dict:
            - items: Examples of Clean.
            - searches: Examples of JoinHistory, splits `train`, `eval`.
            - tables: ItemTablesArtifact.
            - text_encoder: Model.
            - item_vectors: ItemVectorsArtifact.
            - candidates: CandidatesArtifact of MineNegatives.
            - retriever: Model with `embed_search`.
          output_dict:
            - search_candidates: CandidatesArtifact.
          exec_properties:
            - shop, funnel, search: JSON of the settings of these names.
        """
        self._log_startup(input_dict, output_dict, exec_properties)

        def uri(key: str) -> str:
            return str(artifact_utils.get_single_uri(input_dict[key]))

        counts = mine_searches.mine_searches(
            mine_searches.SearchInputs(
                items=uri("items"),
                searches=uri("searches"),
                tables=uri("tables"),
                text_encoder=path_utils.serving_model_path(uri("text_encoder")),
                item_vectors=uri("item_vectors"),
                candidates=uri("candidates"),
                retriever=path_utils.serving_model_dir(uri("retriever")),
            ),
            artifact_utils.get_single_uri(output_dict["search_candidates"]),
            shop=ShopConfig.from_json(exec_properties["shop"]),
            funnel_config=FunnelConfig.from_json(exec_properties["funnel"]),
            config=SearchConfig.from_json(exec_properties["search"]),
            pipeline=self._make_beam_pipeline(),
        )
        _log.info("Mined rows: %s", counts)
