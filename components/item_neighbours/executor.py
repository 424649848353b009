"""Examples of items and events → item tables."""

from __future__ import annotations

import logging
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.item_neighbours import build_tables
from core.config import ShopConfig, SplitConfig
from core.config.neighbours import NeighboursConfig

_log = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Artifacts to paths; the work is in `build_tables`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Counts the tables as of every cut-off.

        Args:
          input_dict:
            - items: Examples, split `train`.
            - events: Examples, all splits are read; each table uses only the events
              before its cut-off.
          output_dict:
            - tables: ItemTablesArtifact.
          exec_properties:
            - shop, splits, config: JSON of ShopConfig, SplitConfig, NeighboursConfig.

        Raises:
          InputDataError: no event lies before T2.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        events = artifact_utils.get_single_instance(input_dict["events"])
        folders = build_tables.build_tables(
            artifact_utils.get_single_instance(input_dict["items"]).uri,
            events.uri,
            artifact_utils.decode_split_names(events.split_names),
            artifact_utils.get_single_instance(output_dict["tables"]).uri,
            shop=ShopConfig.from_json(exec_properties["shop"]),
            splits=SplitConfig.from_json(exec_properties["splits"]),
            config=NeighboursConfig.from_json(exec_properties["config"]),
        )
        _log.info("Wrote %d sets of item tables.", len(folders))
