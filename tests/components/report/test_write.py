from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest

from components.evaluate_funnel.evaluate import evaluate_funnel
from components.evaluate_funnel.read import read_test_set
from components.report import view
from components.report.data import (
    ExecutionRecord,
    RejectedReason,
    ReportData,
    find_history,
    read_rejected,
)
from components.report.gather import gather
from components.report.write import render, write_report
from core.config.evaluation import EvaluationConfig
from tests.components import small_world
from trainer.data import examples

CONFIG = EvaluationConfig(
    k_values=(3, 10), primary_k=3, bootstrap_samples=20, num_example_pages=2
)
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    uris = small_world.write_examples(root)
    bundle = small_world.save_fake_bundle(root / "bundle")
    test_set = read_test_set(
        uris["moments"], uris["items"], uris["events"], small_world.SHOP, CONFIG
    )
    return evaluate_funnel(
        bundle,
        test_set,
        small_world.SHOP,
        CONFIG,
        pipeline=beam.Pipeline(),
        folder=root / "answers",
    )


@pytest.fixture
def data(metrics):
    verdict = {"skipped": False, "value": 1.0, "bound": 0.5}
    return ReportData(
        shop="small",
        created=1_700_000_000,
        metrics=metrics,
        verdicts={
            "blessed": False,
            "verdicts": [
                {"gate": "beats popularity", "passed": True, "message": "m", **verdict},
                {"gate": "beats history", "passed": False, "message": "m", **verdict},
            ],
        },
        pushed={"pushed": False},
        rejected=(
            RejectedReason(table="events", reason="late", count=3, sample=HOSTILE),
        ),
        histories={
            "Retriever": {"epochs": [{"loss": 2.0}, {"loss": 1.0}]},
            "Ranker": {"trials": [{"architecture": "mlp", "epochs": [{"loss": 1.0}]}]},
        },
        executions=(
            ExecutionRecord(
                execution_id=4, component="Clean", state="complete", seconds=75
            ),
        ),
    )


def test_page_shows_what_the_run_found_and_asks_the_network_for_nothing(data):
    page = render(data)
    assert "not blessed" in page
    assert "Failed: beats history." in page
    assert "茶壶" in page  # an example page by title
    assert "1 min 15 s" in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "@import" not in page and "url(" not in page


def test_on_paper_no_table_is_cut_off_and_nothing_stays_folded():
    # A sheet cannot be scrolled: the last columns, of the gains, were lost.
    _, _, paper = render(ReportData(shop="s", created=0)).partition("@media print")
    assert ".scroll { overflow: visible; }" in paper
    assert "details::details-content { content-visibility: visible; }" in paper


def test_bars_of_the_run_stand_where_the_steps_began():
    def record(component: str, state: str, started: float, seconds: float):
        return ExecutionRecord(
            execution_id=1,
            component=component,
            state=state,
            seconds=seconds,
            started=started,
        )

    rows = view.timings(
        (
            record("Clean", "cached", 990.0, 60.0),  # of an earlier run
            record("Left", "complete", 1000.0, 50.0),
            record("Right", "failed", 1010.0, 90.0),
            record("Report", "running", 1100.0, 0.0),
        )
    )
    # The run took 1000 to 1100: a second is one percent.
    assert [(r["component"], r["left"], r["width"]) for r in rows[1:]] == [
        ("Left", 0.0, 50.0),
        ("Right", 10.0, 90.0),
    ]
    assert rows[0]["width"] == 0.0
    assert view.timings(()) == []


def test_of_one_the_page_says_one(data):
    person = {**data.metrics["example_pages"][0], "history_length": 1}
    metrics = {
        **data.metrics,
        "num_moments": {"all": 1, "new": 2},
        "example_pages": [{**person, "num_relevant": 1}],
        "probabilities": {
            **(data.metrics["probabilities"] or {}),
            "rows": 1,
            "pages": 1,
            "positives": 1,
            "calibration_error": 0.5,
            "mean_probability": 0.5,
            "share_of_positives": 1.0,
            "bins": [],
        },
    }
    bundle = {"splits": {"horizon_days": 1}}
    page = render(dataclasses.replace(data, metrics=metrics, bundle=bundle))
    text = " ".join(re.sub(r"<[^>]*>", "", page).split())
    for said in (
        "· 1 moment",
        "· 2 moments",
        "1 event before",
        ", 1 item after",
        "On 1 place of 1 page, each",
        "1 of the places is right",
        "in the 1 day after",
    ):
        assert said in text, said
    assert not re.search(r"\b1 (moments|events|items|places|pages|days)\b", text)


def test_text_from_the_data_is_escaped(data):
    assert HOSTILE not in render(data)


def test_a_run_that_produced_nothing_still_has_a_page():
    page = render(ReportData(shop="empty", created=0))
    assert "The gates did not run." in page
    assert "1970-01-01" in page


def test_a_shop_without_events_says_why_quality_is_not_there():
    counts = {"rows_in": 3, "rows_out": 3}
    for rows, said in ((0, True), (5, False)):
        summary = {"items": counts, "events": {"rows_in": rows, "rows_out": rows}}
        page = render(ReportData(shop="s", created=0, clean_summary=summary))
        assert ("the shop has no events" in page) is said


def test_rows_in_are_those_of_the_shop_s_own_tables():
    # Online Retail has 541,909 lines, as its publisher says.
    refused = {"no customer id": 135_037, "cancelled invoice": 15_722}
    summary = {
        "items": {"rows_in": 3_659, "rows_out": 3_659},
        "events": {"rows_in": 391_150, "rows_out": 391_148},
        "adapter": {"rejected": {"events": refused}},
    }
    page = render(ReportData(shop="s", created=0, clean_summary=summary))
    assert "<dt>Rows in</dt><dd>541,909</dd>" in page
    assert "<dt>Rows in</dt><dd>3,659</dd>" in page
    assert "391,150" not in page
    assert "<h3>Judgments</h3>" not in page


def test_rows_in_and_kept_of_judgments_stand_beside_the_other_tables(tmp_path):
    uri = str(tmp_path / "judgments")
    rows = pa.table({"query": ["tea"] * 7, "item_id": list("abcdefg")})
    examples.write_split(uri, "train", rows)
    summary = {
        "items": {"rows_in": 20, "rows_out": 19},
        "adapter": {"rejected": {"judgments": {"unknown item_id": 3, "no query": 2}}},
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    uris = {"judgments": uri, "clean_summary": str(tmp_path)}
    page = " ".join(render(gather("s", uris)).split())
    # 7 kept, 3 + 2 rejected
    assert (
        '<h3>Judgments</h3><dl class="facts"> <dt>Rows in</dt><dd>12</dd> '
        "<dt>Rows kept</dt><dd>7</dd>" in page
    )


def test_a_refused_run_says_what_is_served_all_the_same():
    verdicts = {"blessed": False, "verdicts": []}
    for pushed, said in (
        ({"pushed": False, "served": "17"}, "pushed; version 17 stays served. Failed"),
        ({"pushed": False, "served": None}, "pushed; no version is served yet. Failed"),
        (None, "Nothing was pushed. Failed"),  # the run stopped before its Pusher
    ):
        data = ReportData(shop="s", created=0, verdicts=verdicts, pushed=pushed)
        assert said in view.status(data)["text"]


def test_a_run_that_a_refit_follows_does_not_claim_that_it_is_pushed():
    # The page is written before the refit, which may yet fail or be refused.
    verdicts = {"blessed": True, "verdicts": []}
    held = {"pushed": False, "held": True}
    page = render(ReportData(shop="s", created=0, verdicts=verdicts, pushed=held))
    assert "Not pushed itself: its refit on everything comes after this page" in page
    assert "is what is pushed" not in page


def test_a_blessed_and_pushed_run_says_where(data):
    verdicts = {"blessed": True, "verdicts": []}
    pushed = {"pushed": True, "version": "17", "destination": "serving/souk/17"}
    page = render(ReportData(shop="s", created=0, verdicts=verdicts, pushed=pushed))
    assert "blessed and pushed" in page and "serving/souk/17" in page


def test_earlier_pages_stay_beside_the_newest(tmp_path):
    path = tmp_path / "report" / "index.html"
    for shop in ("first", "second", "third"):
        write_report(ReportData(shop=shop, created=0), path)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    names = sorted(p.name for p in path.parent.iterdir())
    assert names == [
        "index-20231114T221320Z-2.html",
        "index-20231114T221320Z.html",
        "index.html",
    ]
    assert "third" in path.read_text()


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "index.html"
    path.write_text("the one before")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_report(ReportData(shop="new", created=0), path)

    assert path.read_bytes() == b"the one before"


def test_missing_files_are_no_error(tmp_path):
    assert read_rejected(tmp_path / "none.parquet") == ()
    assert find_history([None, str(tmp_path)]) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "history.json").write_text('{"epochs": []}')
    assert find_history([str(tmp_path)]) == {"epochs": []}
