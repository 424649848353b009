"""Reads a table's files in Beam, each part to its own shard."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from tfx import types
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components import data_artifacts
from components.ingest import conform, read_table
from core.errors import InputDataError
from core.progress import counted, say
from core.tables import Column
from trainer.data import examples

TABLE_KEY = "table"
CONTEXT_FEATURES_KEY = "context_features"
SPLIT = "train"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Parquet or CSV files → one split of Examples with Parquet payload."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads the files and writes the split `train`.

        Args:
          input_dict: empty.
          output_dict:
            - examples: Examples, one split, sharded.
          exec_properties:
            - input_base: folder that the pattern is relative to.
            - input_config: one split with the pattern, SPAN and VERSION filled in.
            - table: `items`, `events` or `judgments`.
            - context_features: JSON list of further string columns of `events`.

        Raises:
          InputDataError: a file is malformed; the message lists each of them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        table = exec_properties[TABLE_KEY]
        context = json.loads(exec_properties[CONTEXT_FEATURES_KEY])
        columns = conform.columns_of(table, context)
        paths = _matching_files(exec_properties)
        _check_headers(paths, columns)
        parts = read_table.plan_parts(paths)
        staging = Path(artifact.uri) / ".staging"
        folder = examples.split_dir(artifact.uri, SPLIT)
        folder.mkdir(parents=True, exist_ok=True)
        staging.mkdir(parents=True, exist_ok=True)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Parts" >> beam.Create(parts)
                | "Spread" >> beam.Reshuffle()
                | "ReadAndWrite"
                >> beam.ParDo(_WriteShard(columns, str(folder), str(staging)))
            )
        _raise_reported(staging)
        shutil.rmtree(staging)
        span = int(exec_properties.get(utils.SPAN_PROPERTY_NAME) or 0)
        data_artifacts.mark_as_parquet(artifact, [SPLIT], span)
        version = exec_properties.get(utils.VERSION_PROPERTY_NAME)
        if version is not None:
            artifact.version = int(version)
        rows = sum(pq.read_metadata(f).num_rows for f in folder.glob("*.parquet"))
        read = counted(rows, table.removesuffix("s"))
        say("Ingest", f"{read} from {counted(len(paths), 'file')}")


class _WriteShard(beam.DoFn):  # type: ignore[misc]
    """Writes each part as one Parquet file; a bad one leaves a note in its place.

    A note and not an exception: the runner would turn it into a RuntimeError and
    stop at the first, while the person wants to hear of all of them.
    """

    def __init__(self, columns: tuple[Column, ...], folder: str, staging: str):
        self._columns = columns
        self._folder = Path(folder)
        self._staging = Path(staging)

    def process(self, part: read_table.Part) -> None:
        first = part.row_groups[0] if part.row_groups else 0
        name = f"data-{part.index:05d}-{first:05d}.parquet"
        hidden = self._staging / f"{name}.{uuid.uuid4().hex}"
        writer: pq.ParquetWriter | None = None
        try:
            for table in read_table.read_part(part, self._columns):
                stored: pa.Table = examples.to_examples(table)
                writer = writer or pq.ParquetWriter(hidden, stored.schema)
                writer.write_table(stored, row_group_size=65_536)
        except InputDataError as error:
            (self._staging / f"{name}.error").write_text(str(error), encoding="utf-8")
            return
        finally:
            if writer is not None:
                writer.close()
        os.replace(hidden, self._folder / name)


def _matching_files(exec_properties: dict[str, Any]) -> list[str]:
    config = example_gen_pb2.Input()
    text = exec_properties[standard_component_specs.INPUT_CONFIG_KEY]
    proto_utils.json_to_proto(text, config)
    base = Path(exec_properties[standard_component_specs.INPUT_BASE_KEY])
    pattern = config.splits[0].pattern
    paths = sorted(str(path) for path in base.glob(pattern) if path.is_file())
    if not paths:
        raise InputDataError(
            f"At least one file must match `{base / pattern}`. Received: none. "
            "Check --data and the input pattern."
        )
    return paths


def _check_headers(paths: list[str], columns: tuple[Column, ...]) -> None:
    broken = []
    for path in paths:
        try:
            read_table.check_header(path, columns)
        except InputDataError as error:
            broken.append(str(error))
    if broken:
        raise InputDataError("\n".join(broken))


def _raise_reported(staging: Path) -> None:
    notes = sorted(staging.glob("*.error"))
    if notes:
        raise InputDataError("\n".join(n.read_text(encoding="utf-8") for n in notes))
