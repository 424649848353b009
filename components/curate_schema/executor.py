"""Inferred schema → curated schema file → Schema artifact."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.schema_gen import executor as schema_gen
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.curate_schema import curate, schema_file
from core.config.shop import ShopConfig
from core.config.validation import ValidationConfig

_log = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Writes the schema file, or obeys it where a person edited it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Keeps the curated schema.

        Args:
          input_dict:
            - inferred_schema: SchemaGen's Schema.
          output_dict:
            - schema: the curated Schema.
          exec_properties:
            - table: `items` or `events`.
            - path: the schema file.
            - fingerprint: of an edited file; only there for the cache.
            - shop, config: JSON of ShopConfig and ValidationConfig.

        Raises:
          InputDataError: the schema file cannot be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        path = Path(exec_properties["path"])
        shop = ShopConfig.from_json(exec_properties["shop"])
        config = ValidationConfig.from_json(exec_properties["config"])
        if schema_file.edited_fingerprint(path):
            schema = schema_file.read(path)
        else:  # the contract and the shop's settings make it, not the data's values
            folder = artifact_utils.get_single_uri(input_dict["inferred_schema"])
            inferred = io_utils.SchemaReader().read(
                io_utils.get_only_uri_in_dir(folder)
            )
            schema = curate.curate(inferred, exec_properties["table"], shop, config)
            schema_file.write(path, schema)
            _log.info("Wrote the curated schema to %s.", path)
        output = artifact_utils.get_single_uri(output_dict["schema"])
        target = os.path.join(output, schema_gen.DEFAULT_FILE_NAME)
        io_utils.write_pbtxt_file(target, schema)
