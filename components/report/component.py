"""Report: what the run's artifacts and the metadata store say → one HTML page."""

import json
import shutil
import time
from pathlib import Path

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import Artifact, standard_artifacts
from tfx.utils import path_utils

from components.data_artifacts import CleanSummary, GateReport, RejectedRows
from components.evaluate_funnel.artifacts import FunnelMetrics
from components.evaluate_search.artifacts import SearchMetrics
from components.evaluate_search.evaluate import METRICS_FILE as SEARCH_METRICS_FILE
from components.gates.artifacts import GateVerdicts
from components.report.artifacts import HtmlReport
from components.report.data import ReportData, find_history, read_json, read_rejected
from components.report.lineage import read_lineage
from components.report.profile import read_profiles
from components.report.write import write_report
from core.layout import TEXT_ENCODER_TABLE
from core.progress import say

PAGE = "index.html"


@component
def Report(
    report: OutputArtifact[HtmlReport],
    shop: Parameter[str],
    path: Parameter[str],
    metadata_path: Parameter[str],
    model: InputArtifact[standard_artifacts.Model] = None,
    metrics: InputArtifact[FunnelMetrics] = None,
    search_metrics: InputArtifact[SearchMetrics] = None,
    verdicts: InputArtifact[GateVerdicts] = None,
    pushed_model: InputArtifact[standard_artifacts.PushedModel] = None,
    clean_summary: InputArtifact[CleanSummary] = None,
    rejected: InputArtifact[RejectedRows] = None,
    item_statistics: InputArtifact[standard_artifacts.ExampleStatistics] = None,
    event_statistics: InputArtifact[standard_artifacts.ExampleStatistics] = None,
    items_gate: InputArtifact[GateReport] = None,
    events_gate: InputArtifact[GateReport] = None,
    retriever_run: InputArtifact[standard_artifacts.ModelRun] = None,
    ranker_run: InputArtifact[standard_artifacts.ModelRun] = None,
    retriever: InputArtifact[standard_artifacts.Model] = None,
    ranker: InputArtifact[standard_artifacts.Model] = None,
    text_encoder: InputArtifact[standard_artifacts.Model] = None,
    search_ranker_run: InputArtifact[standard_artifacts.ModelRun] = None,
    search_ranker: InputArtifact[standard_artifacts.Model] = None,
    text_encoder_table: Parameter[str] = "",
) -> None:
    """Writes the page to `path` (and into the artifact); every input may be missing.

    Args:
      report: output; index.html, custom property `path`.
      shop: name in the title.
      path: where people read it (HomeLayout.report); older pages stay beside it.
      metadata_path: the ML Metadata store's SQLite file, "" for none.
      model: the bundle, for its souk.json.
      metrics, verdicts, pushed_model: outputs of EvaluateFunnel, Gates and Pusher.
      search_metrics: output of EvaluateSearch.
      clean_summary, rejected: outputs of Clean.
      item_statistics, event_statistics: outputs of StatisticsGen.
      items_gate, events_gate: outputs of DataGate.
      retriever_run, ranker_run, retriever, ranker: where history.json is looked for.
      text_encoder: TextEncoder's model, for its text_encoder.json.
      search_ranker_run, search_ranker: as the others' runs and models.
      text_encoder_table: JSON that `bench_text_encoder --home` wrote; "" for none. The
        text itself, so that the step runs again where it alone has changed.
    """
    gates = [read_json(_file(gate, "gate.json")) for gate in (items_gate, events_gate)]
    bundle = path_utils.serving_model_path(model.uri) if model else ""
    data = ReportData(
        shop=shop,
        created=int(time.time()),
        metrics=read_json(_file(metrics, "metrics.json")),
        search=read_json(_file(search_metrics, SEARCH_METRICS_FILE)),
        verdicts=read_json(_file(verdicts, "verdicts.json")),
        pushed=read_json(_file(pushed_model, "pushed.json")),
        clean_summary=read_json(_file(clean_summary, "summary.json")),
        rejected=read_rejected(_file(rejected, "rejected.parquet")),
        profiles={
            "items": read_profiles(_uri(item_statistics)),
            "events": read_profiles(_uri(event_statistics)),
        },
        data_gates=tuple(gate for gate in gates if gate is not None),
        histories={
            name: history
            for name, uris in (
                ("Retriever", (_uri(retriever_run), _uri(retriever))),
                ("Ranker", (_uri(ranker_run), _uri(ranker))),
                ("Search ranker", (_uri(search_ranker_run), _uri(search_ranker))),
            )
            if (history := find_history(uris)) is not None
        },
        bundle=read_json(Path(bundle) / "souk.json") if bundle else None,
        text_encoder=read_json(_file(text_encoder, TEXT_ENCODER_TABLE)),
        text_encoder_table=json.loads(text_encoder_table or "null"),
        executions=read_lineage(metadata_path) if metadata_path else (),
    )
    written = write_report(data, path)
    Path(report.uri).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(written, Path(report.uri) / PAGE)
    report.set_string_custom_property("path", str(written))
    say("Report", str(written))


def _uri(artifact: Artifact | None) -> str | None:
    return artifact.uri if artifact is not None else None


def _file(artifact: Artifact | None, name: str) -> str | None:
    return f"{artifact.uri}/{name}" if artifact is not None else None
