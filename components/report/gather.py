"""URIs of a run's artifacts → what the report is made of."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tfx.utils import path_utils

from components import arrow_elements
from components.report.data import (
    ExecutionRecord,
    Json,
    ReportData,
    find_history,
    read_json,
    read_rejected,
)
from components.report.profile import read_profiles
from core.layout import (
    COMPRESSION_PATH,
    METRICS_FILE,
    SEARCH_METRICS_FILE,
    TEXT_ENCODER_TABLE,
)

_SPLIT = "train"  # the one split of judgments
BUNDLE_FILE = "souk.json"
TRAINED = {
    "Retriever": "retriever",
    "Ranker": "ranker",
    "Search ranker": "search_ranker",
}


def gather(
    shop: str,
    uris: Mapping[str, str],
    executions: Iterable[ExecutionRecord] = (),
    text_encoders: Json | None = None,
    load: Json | None = None,
) -> ReportData:
    """Reads what there is; an input that is missing leaves its part of the page out.

    Args:
      shop: name in the title.
      uris: folders of the artifacts by the name of the Report component's input.
      executions: the run's steps.
      text_encoders: what `bench_text_encoder --home` wrote.
      load: what `bench_serving` wrote.
    """

    def file(key: str, name: str) -> Path | None:
        return Path(uris[key]) / name if key in uris else None

    gates = [read_json(file(key, "gate.json")) for key in ("items_gate", "events_gate")]
    return ReportData(
        shop=shop,
        created=int(time.time()),
        metrics=read_json(file("metrics", METRICS_FILE)),
        search=read_json(file("search_metrics", SEARCH_METRICS_FILE)),
        verdicts=read_json(file("verdicts", "verdicts.json")),
        pushed=read_json(file("pushed_model", "pushed.json")),
        clean_summary=read_json(file("clean_summary", "summary.json")),
        num_judgments=_num_rows(uris.get("judgments")),
        rejected=read_rejected(file("rejected", "rejected.parquet")),
        profiles={
            "items": read_profiles(uris.get("item_statistics")),
            "events": read_profiles(uris.get("event_statistics")),
        },
        data_gates=tuple(gate for gate in gates if gate is not None),
        histories={
            name: history
            for name, key in TRAINED.items()
            if (history := find_history((uris.get(f"{key}_run"), uris.get(key))))
            is not None
        },
        bundle=_in_bundle(uris.get("model"), BUNDLE_FILE),
        compression=_in_bundle(uris.get("model"), COMPRESSION_PATH),
        text_encoder=read_json(file("text_encoder", TEXT_ENCODER_TABLE)),
        text_encoder_table=text_encoders,
        load=load,
        executions=tuple(executions),
    )


def _num_rows(uri: str | None) -> int | None:
    return None if uri is None else arrow_elements.num_rows(uri, [_SPLIT])


def _in_bundle(uri: str | None, name: str | Path) -> dict[str, object] | None:
    if uri is None:
        return None
    return read_json(Path(path_utils.serving_model_path(uri)) / name)
