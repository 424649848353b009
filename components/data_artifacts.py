"""Artifact types of the data steps, and how an Examples artifact says it is Parquet."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact, artifact_utils, standard_artifacts


class RejectedRows(artifact.Artifact):
    """`rejected.parquet`: table, row (JSON) and reason of every row left out."""

    TYPE_NAME = "components.RejectedRows"


class CleanSummary(artifact.Artifact):
    """`summary.json`: rows in and out, counts per reason and per split."""

    TYPE_NAME = "components.CleanSummary"


class GateReport(artifact.Artifact):
    """`gate.json`: what the data gate checked, with distances and their bounds."""

    TYPE_NAME = "components.GateReport"


REJECTED_FILE = "rejected.parquet"
SUMMARY_FILE = "summary.json"
GATE_FILE = "gate.json"


def mark_as_parquet(
    examples: standard_artifacts.Examples, splits: Sequence[str], span: int = 0
) -> None:
    """Sets split names, span and payload format of an Examples artifact."""
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    examples.span = span
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_PARQUET)
