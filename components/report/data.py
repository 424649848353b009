"""What a report is made of; whatever is missing is left out of the page."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Json = dict[str, Any]
_MAX_SAMPLE = 160  # characters of a rejected row that are shown


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectedReason:
    """Rows left out for one reason, and the first of them."""

    table: str
    reason: str
    count: int
    sample: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureProfile:
    """One column of a table, as StatisticsGen saw it."""

    name: str
    kind: str
    missing: float  # share of rows
    distinct: str  # how many values, of text
    summary: str  # range, or the most frequent values


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArtifactRecord:
    """One artifact that an execution read or wrote."""

    key: str
    type_name: str
    artifact_id: int
    uri: str
    size_bytes: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecutionRecord:
    """One component's part in the run."""

    execution_id: int
    component: str
    state: str  # complete, cached, failed, running
    seconds: float
    started: float = 0.0  # seconds, UTC
    inputs: tuple[ArtifactRecord, ...] = ()
    outputs: tuple[ArtifactRecord, ...] = ()
    error: str = ""  # of a failed one, where it is known

    @property
    def size_bytes(self) -> int:
        return sum(a.size_bytes or 0 for a in self.outputs)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportData:
    """Content of a report; None or empty where a step did not run."""

    shop: str
    created: int  # seconds, UTC
    metrics: Json | None = None  # metrics.json
    search: Json | None = None  # search_metrics.json
    verdicts: Json | None = None  # verdicts.json
    pushed: Json | None = None  # pushed.json
    clean_summary: Json | None = None  # summary.json of Clean
    num_judgments: int | None = None  # that the adapter kept; None: the shop has none
    rejected: tuple[RejectedReason, ...] = ()
    profiles: dict[str, list[FeatureProfile]] = dataclasses.field(default_factory=dict)
    data_gates: tuple[Json, ...] = ()  # gate.json per table
    histories: dict[str, Json] = dataclasses.field(default_factory=dict)
    bundle: Json | None = None  # souk.json
    compression: Json | None = None  # compression.json of a compressed bundle
    executions: tuple[ExecutionRecord, ...] = ()
    text_encoder: Json | None = None  # text_encoder.json of TextEncoder
    # What `bench_text_encoder --home` wrote: encoders of several kinds.
    text_encoder_table: Json | None = None
    load: Json | None = None  # what `bench_serving` wrote


def read_json(path: str | Path | None) -> Json | None:
    """Content of a JSON file, None where there is none."""
    if path is None or not Path(path).is_file():
        return None
    content: Json = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def read_rejected(path: str | Path | None) -> tuple[RejectedReason, ...]:
    """Counts and a sample per table and reason, the most frequent first."""
    if path is None or not Path(path).is_file():
        return ()
    frame = pq.read_table(path, columns=["table", "row", "reason"]).to_pandas()
    groups = frame.groupby(["table", "reason"], sort=False)["row"]
    found = [
        RejectedReason(
            table=table,
            reason=reason,
            count=len(rows),
            sample=_shortened(str(rows.iloc[0])),
        )
        for (table, reason), rows in groups
    ]
    return tuple(sorted(found, key=lambda r: -r.count))


def find_history(uris: Iterable[str | None]) -> Json | None:
    """The first history.json below any of the folders."""
    for uri in uris:
        for path in sorted(Path(uri).rglob("history.json")) if uri else ():
            return read_json(path)
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SAMPLE else text[: _MAX_SAMPLE - 1] + "…"
