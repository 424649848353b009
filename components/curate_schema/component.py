"""The CurateSchema component: SchemaGen's schema → the one that a person may edit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.curate_schema import executor, schema_file
from core.config.shop import ShopConfig
from core.config.validation import ValidationConfig


class CurateSchemaSpec(ComponentSpec):  # type: ignore[misc]
    """A Schema in, a Schema out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "table": ExecutionParameter(type=str),
        "path": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "shop": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "inferred_schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }


class CurateSchema(base_component.BaseComponent):  # type: ignore[misc]
    """Writes `path`, and obeys it once a person has edited it.

    Outputs:
      schema: standard_artifacts.Schema.
    """

    SPEC_CLASS = CurateSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        schema: channel.BaseChannel,
        table: str,
        path: str | os.PathLike[str],
        shop: ShopConfig,
        config: ValidationConfig | None = None,
    ):
        """Constructs the component; reads the file's fingerprint for the cache key.

        Args:
          schema: SchemaGen's schema.
          table: `items` or `events`.
          path: the schema file, `HomeLayout.schemas / "events.pbtxt"`.
          shop: event types and context columns.
          config: bounds of the comparators.
        """
        spec = CurateSchemaSpec(
            inferred_schema=schema,
            table=table,
            path=str(path),
            fingerprint=schema_file.edited_fingerprint(Path(path)),
            shop=shop.to_json(),
            config=(config or ValidationConfig()).to_json(),
            schema=channel.Channel(type=standard_artifacts.Schema),
        )
        super().__init__(spec=spec)
