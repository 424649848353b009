from __future__ import annotations

import re

import apache_beam as beam
import pytest

from components.evaluate_search.evaluate import evaluate_search
from components.evaluate_search.read import read_search_data
from components.report.data import ReportData
from components.report.search import search
from components.report.write import render
from core.config.search_evaluation import SearchEvaluationConfig
from tests.components import search_world, small_world

CONFIG = SearchEvaluationConfig(bootstrap_samples=20, min_class_size=1)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    root = tmp_path_factory.mktemp("search")
    uris = search_world.write_examples(root)
    bundle = search_world.save_fake_search(root / "bundle")
    data = read_search_data(uris["items"], uris["judgments"], uris["events"])
    return evaluate_search(
        bundle,
        data,
        small_world.SHOP,
        CONFIG,
        pipeline=beam.Pipeline(),
        folder=root / "asked",
    )


def test_section_holds_every_truth_class_and_example(metrics):
    page = render(ReportData(shop="small", created=0, search=metrics))

    assert '<h2 id="search">' in page and 'href="#search"' in page
    for words in ("Judgments", "Clicked in the test period", "Bought in"):
        assert words in page
    value = metrics["judged"]["graded"]["systems"]["bundle"]["ndcg@10"]["value"]
    assert f">{value:.3f}<" in page
    assert "BM25, all text" in page
    assert "“tea”" in page and "茶壶 pot 3" in page
    assert "grade 3" in page and "grade 1" in page
    assert "An empty page." in page  # `mug`
    assert "hits divided by all relevant items: small where those are many" in page
    assert '<td class="name">misspelt</td><td class="muted">a word one or two' in page
    assert "frequent (1)" in page  # the class of the chart, with its size
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_metrics_of_one_truth_are_those_that_it_has(metrics):
    truths = {t["title"]: t for t in search(metrics)["truths"]}

    assert "Judged" in truths["Judgments"]["metrics"]
    assert "Judged" not in truths["Clicked in the test period"]["metrics"]
    (row,) = [r for r in truths["Judgments"]["rows"] if r["strong"]]
    assert row["empty"] == 0.5
    assert row["difference"] is None


def test_missing_parts_say_why(metrics):
    absent = {"logged": "The shop has no events."}
    page = render(
        ReportData(
            shop="s", created=0, search={**metrics, "logged": None, "absent": absent}
        )
    )

    assert "The shop has no events." in page
    assert "Clicked in the test period" not in page


def test_queries_are_escaped(metrics):
    hostile = '<script>alert("x")</script>'
    examples = [{**metrics["example_pages"][0], "query": hostile}]
    found = {**metrics, "example_pages": examples}

    assert hostile not in render(ReportData(shop="s", created=0, search=found))


def test_without_search_there_is_no_section():
    page = render(ReportData(shop="s", created=0))

    assert "#search" not in page
    assert search(None) is None
