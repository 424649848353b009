"""Report: what the run's artifacts and the metadata store say → one HTML page."""

import json
import shutil
from pathlib import Path

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.data_artifacts import CleanSummary, GateReport, RejectedRows
from components.evaluate_funnel.artifacts import FunnelMetrics
from components.evaluate_search.artifacts import SearchMetrics
from components.gates.artifacts import GateVerdicts
from components.report.artifacts import HtmlReport
from components.report.gather import gather
from components.report.lineage import read_lineage
from components.report.write import write_report
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
    judgments: InputArtifact[standard_artifacts.Examples] = None,
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
    load_curve: Parameter[str] = "",
) -> None:
    """Writes the page to `path` (and into the artifact); every input may be missing.

    Args:
      report: output; index.html, custom property `path`.
      shop: name in the title.
      path: where people read it (HomeLayout.report); older pages stay beside it.
      metadata_path: the ML Metadata store's SQLite file, or the folder of a Kubeflow
        run's step records; "" for none.
      model: the bundle, for its souk.json and compression.json.
      metrics, verdicts, pushed_model: outputs of EvaluateFunnel, Gates and Pusher.
      search_metrics: output of EvaluateSearch.
      clean_summary, rejected: outputs of Clean.
      judgments: output of IngestJudgments, where the shop has any.
      item_statistics, event_statistics: outputs of StatisticsGen.
      items_gate, events_gate: outputs of DataGate.
      retriever_run, ranker_run, retriever, ranker: where history.json is looked for.
      text_encoder: TextEncoder's model, for its text_encoder.json.
      search_ranker_run, search_ranker: as the others' runs and models.
      text_encoder_table: JSON that `bench_text_encoder --home` wrote; "" for none. The
        text itself, so that the step runs again where it alone has changed.
      load_curve: the same, of `bench_serving`.
    """
    given = {
        "model": model,
        "metrics": metrics,
        "search_metrics": search_metrics,
        "verdicts": verdicts,
        "pushed_model": pushed_model,
        "clean_summary": clean_summary,
        "rejected": rejected,
        "judgments": judgments,
        "item_statistics": item_statistics,
        "event_statistics": event_statistics,
        "items_gate": items_gate,
        "events_gate": events_gate,
        "retriever_run": retriever_run,
        "ranker_run": ranker_run,
        "retriever": retriever,
        "ranker": ranker,
        "search_ranker_run": search_ranker_run,
        "search_ranker": search_ranker,
        "text_encoder": text_encoder,
    }
    data = gather(
        shop,
        {name: artifact.uri for name, artifact in given.items() if artifact},
        read_lineage(metadata_path) if metadata_path else (),
        text_encoders=json.loads(text_encoder_table or "null"),
        load=json.loads(load_curve or "null"),
    )
    written = write_report(data, path)
    Path(report.uri).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(written, Path(report.uri) / PAGE)
    report.set_string_custom_property("path", str(written))
    say("Report", str(written))
