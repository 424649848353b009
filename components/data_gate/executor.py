"""Reads statistics and anomalies, judges, and stops the run or lets it go on."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx import types
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components import data_artifacts
from components.data_gate import judge
from core.config.validation import ValidationConfig
from core.errors import InputDataError
from core.progress import counted
from core.whole_file import whole_file

_ANOMALIES_FILE = "SchemaDiff.pb"  # ExampleValidator's
_log = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Stops the run on anomalies, drift and skew."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Judges one table.

        Args:
          input_dict:
            - statistics: StatisticsGen's, any splits; `train` is among them.
            - schema: the curated Schema.
            - anomalies: ExampleValidator's.
            - summary (optional): Clean's summary.
          output_dict:
            - report: GateReport, gate.json.
          exec_properties:
            - table: `items` or `events`.
            - config: JSON of ValidationConfig.
            - baseline: file with the statistics of the last accepted run, replaced
              when this one is accepted; "" for none.
            - log_path: the verdict's JSON is written there too, also when the run
              stops; "" for nowhere.
            - schema_path: named in messages.

        Raises:
          InputDataError: something is wrong; the message lists everything.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = ValidationConfig.from_json(exec_properties["config"])
        statistics = _statistics(input_dict["statistics"])
        schema = _schema(input_dict["schema"])
        comparisons, found = judge.skew(statistics, schema)
        measured, beyond = judge.fallen_silent(statistics, config)
        comparisons, found = comparisons + measured, found + beyond
        found = judge.schema_findings(_anomalies(input_dict), statistics) + found
        baseline = exec_properties["baseline"]
        drifted: list[judge.Finding] = []
        if baseline and Path(baseline).is_file():
            previous = tfdv.load_stats_binary(baseline)
            current = statistics["train"]
            for measured, beyond in (
                judge.drift(current, previous, schema),
                judge.presence_drops(current, previous, config),
            ):
                comparisons += measured
                drifted += beyond
        found += drifted
        table = exec_properties["table"]
        if input_dict.get("summary"):
            found += judge.rejections(_summary(input_dict), table, config)
        verdict = {
            "table": table,
            "accepted": not found,
            "rows": {name: judge.num_examples(s) for name, s in statistics.items()},
            "comparisons": [dataclasses.asdict(c) for c in comparisons],
            "findings": [dataclasses.asdict(f) for f in found],
        }
        text = json.dumps(verdict, indent=2, ensure_ascii=False)
        if exec_properties["log_path"]:
            _write(Path(exec_properties["log_path"]), text.encode())
        if found:
            raise InputDataError(_message(found, exec_properties, bool(drifted)))
        if baseline:
            _write(Path(baseline), statistics["train"].SerializeToString())
        folder = artifact_utils.get_single_uri(output_dict["report"])
        _write(Path(folder) / data_artifacts.GATE_FILE, text.encode())
        _log.info("Data gate accepts %s: %s", table, verdict["rows"])


def _statistics(artifacts: list[types.Artifact]) -> dict[str, judge.Statistics]:
    artifact = artifact_utils.get_single_instance(artifacts)
    return {
        split: stats_artifact_utils.load_statistics(artifact, split).proto()
        for split in artifact_utils.decode_split_names(artifact.split_names)
    }


def _schema(artifacts: list[types.Artifact]) -> schema_pb2.Schema:
    folder = artifact_utils.get_single_uri(artifacts)
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))


def _anomalies(
    input_dict: dict[str, list[types.Artifact]],
) -> dict[str, anomalies_pb2.Anomalies]:
    artifact = artifact_utils.get_single_instance(input_dict["anomalies"])
    reports = {}
    for split in artifact_utils.decode_split_names(artifact.split_names):
        folder = artifact_utils.get_split_uri([artifact], split)
        content = (Path(folder) / _ANOMALIES_FILE).read_bytes()
        reports[split] = anomalies_pb2.Anomalies.FromString(content)
    return reports


def _summary(input_dict: dict[str, list[types.Artifact]]) -> dict[str, Any]:
    folder = artifact_utils.get_single_uri(input_dict["summary"])
    path = Path(folder) / data_artifacts.SUMMARY_FILE
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _message(
    found: list[judge.Finding], exec_properties: dict[str, Any], has_drift: bool
) -> str:
    table = exec_properties["table"]
    lines = [
        f"The table `{table}` must agree with its schema and with the last accepted "
        f"run. Received {counted(len(found), 'finding')}; nothing was trained or "
        "pushed:"
    ]
    lines += [
        f"  - {f.feature} ({f.split}): {f.description} — to go on: {f.remedy}."
        for f in found
    ]
    if exec_properties["schema_path"]:
        lines.append(f"The schema file: {exec_properties['schema_path']}")
    if has_drift:  # skew within this run's tables stays, whatever was accepted
        lines.append(
            "A drift that is real and wanted is accepted by deleting "
            f"{exec_properties['baseline']}"
        )
    return "\n".join(lines)


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as hidden:
        hidden.write_bytes(content)
