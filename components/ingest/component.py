"""The Ingest component: files of one table → Examples with Parquet payload."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from tfx.components.example_gen import component, utils
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import channel, component_spec, standard_artifacts
from tfx.types import standard_component_specs as specs

from components.ingest import driver, executor
from core import tables
from core.errors import ConfigError


class IngestSpec(specs.FileBasedExampleGenSpec):  # type: ignore[misc]
    """FileBasedExampleGen's contract, plus the table and its context columns."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **specs.FileBasedExampleGenSpec.PARAMETERS,
        executor.TABLE_KEY: component_spec.ExecutionParameter(type=str),
        executor.CONTEXT_FEATURES_KEY: component_spec.ExecutionParameter(type=str),
    }


class Ingest(component.FileBasedExampleGen):  # type: ignore[misc]
    """Reads `PATTERN` below `input_base`, in Arrow batches.

    Outputs:
      examples: Examples, split `train`, the columns of the data contract.
    """

    SPEC_CLASS = IngestSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        table: str,
        input_base: str,
        pattern: str = "",
        context_features: Sequence[str] = (),
        range_config: range_config_pb2.RangeConfig | None = None,
    ):
        """Constructs the component; give each table's its own id with `.with_id`.

        Args:
          table: `items`, `events` or `judgments`.
          input_base: folder with the files.
          pattern: glob below it, may hold {SPAN} and {VERSION}:
            `span-{SPAN}/v{VERSION}/events*.parquet`. Default `TABLE.parquet`.
          context_features: further string columns of `events` to keep.
          range_config: which span; default the newest.

        Raises:
          ConfigError: no such table.
        """
        if table not in tables.TABLES:
            known = ", ".join(tables.TABLES)
            raise ConfigError(
                f"`table` must be one of {known}. Received: {table!r}. "
                "Ingest one of the canonical tables."
            )
        split = example_gen_pb2.Input.Split(
            name=executor.SPLIT, pattern=pattern or f"{table}.parquet"
        )
        input_config = example_gen_pb2.Input(splits=[split])
        spec = IngestSpec(
            input_base=input_base,
            input_config=input_config,
            output_config=utils.make_default_output_config(input_config),
            output_data_format=example_gen_pb2.FORMAT_PARQUET,
            output_file_format=example_gen_pb2.FILE_FORMAT_UNSPECIFIED,
            range_config=range_config,
            table=table,
            context_features=json.dumps(list(context_features)),
            examples=channel.Channel(type=standard_artifacts.Examples),
        )
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
