"""The bundle's search measured on judgments and on the test period's searches."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import pyarrow as pa

from components import worker_memory
from components.evaluate_funnel.ask_in_beam import (
    Pages,
    ask_bundles,
    gather,
    load_later,
    questions,
)
from components.evaluate_search.bm25 import Bm25, item_texts
from components.evaluate_search.example_pages import choose_searches, example_pages
from components.evaluate_search.measure import BUNDLE, measured
from components.evaluate_search.searches import (
    BOUGHT,
    CLICKED,
    GRADED,
    Searches,
    judged_searches,
    logged_searches,
    search_counts,
)
from core import features, room, signatures
from core.config import ShopConfig
from core.config.gates import BM25
from core.config.search_evaluation import SearchEvaluationConfig
from core.metrics import graded_ndcg
from core.metrics.query_classes import QueryClassifier
from core.progress import advance, counted

SCHEMA_VERSION = 1
JUDGED, LOGGED = "judged", "logged"  # the two parts of a report
NO_JUDGMENTS = "The shop has no judgments."
NO_USEFUL_JUDGMENTS = "No judgment grades an item of the catalogue above 0."
NO_EVENTS = "The shop has no events."
NO_SEARCHES = "No event of the test period answers a search."
NO_PURCHASES = "No purchase of the test period answers a search."


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchData:
    """What a bundle's search is held against; None where the shop has no such table.

    Attributes:
      items: the catalogue, n rows.
      judgments: query, item_id, grade.
      past: events before the test period.
      test: events of the test period.
    """

    items: pa.Table
    judgments: pa.Table | None = None
    past: pa.Table | None = None
    test: pa.Table | None = None


def evaluate_search(
    model_dir: str | Path,
    data: SearchData,
    shop: ShopConfig,
    config: SearchEvaluationConfig,
    *,
    pipeline: beam.Pipeline,
    folder: Path,
) -> dict[str, Any]:
    """Content of search_metrics.json.

    Args:
      model_dir: a SavedModel with `search`, readable by every Beam worker.
      data: catalogue, judgments, events.
      shop: its context features.
      config: protocol.
      pipeline: in which the bundle is asked; not yet entered.
      folder: for the workers' answers, writable by all of them; removed at the end.

    Raises:
      ArtifactError: the model has no signature `search`.
    """
    start = time.monotonic()
    parts, absent = _searches(data, shop, config)
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "num_items": data.items.num_rows,
        "k_values": list(config.k_values),
        "page_length": config.page_length,
        "primary_metric": config.primary_metric,
        "confidence": config.confidence,
        JUDGED: None,
        LOGGED: None,
        "absent": absent,
        "example_pages": [],
    }
    if not parts:
        return report
    answers = _ask(model_dir, parts, data.items, config, pipeline, folder)
    baseline = Bm25(item_texts(data.items), k1=config.bm25_k1, b=config.bm25_b)
    classes = _classes(data, parts)
    for number, (name, searches) in enumerate(parts.items(), start=1):
        asked, queries = answers[name], searches.queries
        pages = {BUNDLE: asked.rows, BM25: baseline.pages(queries, config.page_length)}
        found = [classes[query] for query in queries]
        report[name] = {
            truth: measured(pages, grades, found, config, judged=truth == GRADED)
            for truth, grades in searches.truths.items()
            if truth not in absent
        }
        if not report["example_pages"]:
            grades = next(iter(searches.truths.values()))
            ndcg = graded_ndcg(asked.rows, grades, config.primary_k)
            report["example_pages"] = example_pages(
                searches,
                grades,
                data.items,
                choose_searches(found, ndcg, config.num_example_pages),
                found,
                (asked.rows, asked.scores, asked.reasons),
            )
        asked_of = counted(len(queries), f"{name} search", f"{name} searches")
        advance("EvaluateSearch", number, len(parts), asked_of)
    report["seconds"] = round(time.monotonic() - start, 3)
    return report


def _ask(
    model_dir: str | Path,
    parts: Mapping[str, Searches],
    items: pa.Table,
    config: SearchEvaluationConfig,
    pipeline: beam.Pipeline,
    folder: Path,
) -> dict[str, Pages]:
    """The bundle's pages of every part, from Beam workers."""
    k = config.page_length
    batch_size = room.batch_size(config.batch_size, items.num_rows)
    bundles = load_later(
        {BUNDLE: model_dir}, items, folder, batch_size=batch_size, page_length=k
    )
    # Held during the run: workers in this process then load no copy of their own.
    client = bundles[BUNDLE].client()
    client.require(signatures.SEARCH)
    asked = [
        question
        for name, searches in parts.items()
        for question in questions(
            name, searches.moments, None, batch_size, signatures.SEARCH
        )
    ]
    ask_bundles(bundles, asked, str(folder), pipeline)
    pages = {
        name: gather(str(folder / BUNDLE), name, searches.moments.num_rows, k)
        for name, searches in parts.items()
    }
    shutil.rmtree(folder)
    worker_memory.release()
    return pages


def headline(report: Mapping[str, Any]) -> str:
    """One line: the primary metric of every system and part."""
    metric = report["primary_metric"]
    words = []
    for part in (JUDGED, LOGGED):
        for truth, entry in (report[part] or {}).items():
            values = ", ".join(
                f"{system} {found[metric]['value']:.3f}"
                for system, found in entry["systems"].items()
            )
            words.append(f"{part} ({truth}): {values}")
    return f"{metric} " + "; ".join(words) if words else "search not measured"


def _searches(
    data: SearchData, shop: ShopConfig, config: SearchEvaluationConfig
) -> tuple[dict[str, Searches], dict[str, str]]:
    """The parts that can be measured, and why the others, or `bought`, cannot."""
    item_ids = data.items.column(features.ITEM_ID).to_pylist()
    parts: dict[str, Searches] = {}
    absent: dict[str, str] = {}
    if data.judgments is None or not data.judgments.num_rows:
        absent[JUDGED] = NO_JUDGMENTS
    else:
        parts[JUDGED] = judged_searches(data.judgments, item_ids)
        if not parts[JUDGED].moments.num_rows:
            absent[JUDGED] = NO_USEFUL_JUDGMENTS
    if data.past is None or data.test is None:
        absent[LOGGED] = NO_EVENTS
    elif not has_queries(data.test):
        absent[LOGGED] = NO_SEARCHES
    else:
        held = data.test.column_names
        parts[LOGGED] = logged_searches(
            data.past,
            data.test,
            item_ids,
            context=[name for name in shop.context_features if name in held],
            max_history=config.max_history,
            max_searches=config.max_searches,
            seed=config.seed,
        )
        if not parts[LOGGED].moments.num_rows:
            absent[LOGGED] = NO_SEARCHES
        elif not parts[LOGGED].truths[BOUGHT].num_relevant.any():
            absent[BOUGHT] = NO_PURCHASES
    return {n: part for n, part in parts.items() if n not in absent}, absent


def has_queries(events: pa.Table) -> bool:
    """Whether some event answers a search."""
    if features.QUERY not in events.column_names:
        return False
    column = events.column(features.QUERY)
    return bool(column.null_count < len(column))


def _classes(
    data: SearchData, parts: Mapping[str, Searches]
) -> dict[str, frozenset[str]]:
    """Query → classes; relevant is what is graded best, else what was clicked."""
    items = data.items
    counts = None
    if data.past is not None and has_queries(data.past):
        counts = search_counts(data.past)
    rules = QueryClassifier(
        item_texts(items, (features.TITLE,)), texts=item_texts(items), counts=counts
    )
    relevant = {**_relevant(parts.get(LOGGED)), **_relevant(parts.get(JUDGED))}
    return {query: rules.classes(query, rows) for query, rows in relevant.items()}


def _relevant(searches: Searches | None) -> dict[str, Sequence[int]]:
    """Query → rows of its highest grade (or all that were clicked for it)."""
    if searches is None:
        return {}
    name = GRADED if GRADED in searches.truths else CLICKED
    grades = searches.truths[name]
    frame = pd.DataFrame(
        {
            "query": np.asarray(searches.queries, object)[grades.searches],
            "row": grades.rows,
            "value": grades.values,
        }
    )
    best = frame.groupby("query")["value"].transform("max")
    return frame[frame["value"] == best].groupby("query")["row"].agg(list).to_dict()
