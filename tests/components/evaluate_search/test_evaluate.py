from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow.compute as pc
import pytest

from components.evaluate_search.evaluate import (
    NO_EVENTS,
    NO_JUDGMENTS,
    NO_PURCHASES,
    NO_SEARCHES,
    NO_USEFUL_JUDGMENTS,
    SearchData,
    evaluate_search,
    headline,
)
from components.evaluate_search.example_pages import choose_searches
from components.evaluate_search.read import read_search_data
from components.json_file import write_json
from core.config.search_evaluation import SearchEvaluationConfig
from core.errors import ArtifactError
from tests.components import search_world, small_world
from tests.components.small_world import SHOP

CONFIG = SearchEvaluationConfig(
    k_values=(2, 5),
    primary_k=5,
    page_length=8,
    bootstrap_samples=50,
    min_class_size=1,
    batch_size=2,
)


def measure(bundle, data, config):
    with tempfile.TemporaryDirectory() as place:
        return evaluate_search(
            bundle,
            data,
            SHOP,
            config,
            pipeline=beam.Pipeline(),
            folder=Path(place) / "asked",
        )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return search_world.save_fake_search(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    uris = search_world.write_examples(tmp_path_factory.mktemp("examples"))
    return read_search_data(uris["items"], uris["judgments"], uris["events"])


@pytest.fixture(scope="module")
def report(bundle, data):
    return measure(bundle, data, CONFIG)


def test_judged_metrics_are_the_hand_made_ones(report):
    # `tea` is answered with grades 1, none, 3 (of 3, 1, 0); `mug` with an empty page
    found = report["judged"]["graded"]["systems"]["bundle"]
    ideal = 3 + 1 / np.log2(3)
    expected = {
        "ndcg@5": (1 + 3 / np.log2(4)) / ideal,
        "ndcg@2": 1 / ideal,
        "ndcg_judged@5": (1 + 3 / np.log2(3)) / ideal,
        "ndcg_exp@5": (1 + 7 / np.log2(4)) / (7 + 1 / np.log2(3)),
        "judged@5": 2 / 5,
        "mrr@5": 1.0,
        "recall@5": 1.0,
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value / 2), name
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert found["empty_page_rate"]["value"] == 0.5
    assert found["coverage@5"]["value"] == 3 / 12
    assert report["judged"]["graded"]["num_searches"] == 2


def test_logged_metrics_are_the_hand_made_ones(report):
    # u1 `tea` clicked 03 (first) and 00 (third); u1 `red` clicked the first, u2 none
    found = report["logged"]["clicked"]["systems"]["bundle"]
    tea = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert found["ndcg@5"]["value"] == pytest.approx((tea + 1 + 0) / 3)
    assert found["mrr@5"]["value"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["recall@5"]["value"] == pytest.approx((1 + 1 + 0) / 3)
    assert "judged@5" not in found
    bought = report["logged"]["bought"]
    assert bought["num_searches"] == 1
    assert bought["systems"]["bundle"]["mrr@5"]["value"] == 1.0


def test_bm25_stands_beside_in_the_same_run(report):
    # titles `red mug` of items 1, 2, 4, 5 ...: as short as each other, so by row
    bm25 = report["judged"]["graded"]["systems"]["bm25"]
    assert bm25["mrr@5"]["value"] == pytest.approx((1 + 1) / 2)
    difference = report["judged"]["graded"]["differences"]["bm25"]["mrr@5"]
    assert difference["value"] == pytest.approx(0.5 - 1.0)
    assert set(report["logged"]["clicked"]["systems"]) == {"bundle", "bm25"}


def test_classes_say_where_the_bundle_is_good(report):
    classes = {c["class"]: c for c in report["judged"]["graded"]["classes"]}
    # `tea` makes up two thirds of the log's searches; `mug` was never searched for
    assert classes["head"]["num_searches"] == 1
    assert classes["head"]["systems"]["bundle"]["mrr@5"]["value"] == 1.0
    assert classes["tail"]["systems"]["bundle"]["mrr@5"]["value"] == 0.0
    assert classes["generic"]["num_searches"] == 2
    assert "chinese" not in classes
    logged = {
        c["class"]: c["num_searches"] for c in report["logged"]["clicked"]["classes"]
    }
    assert (logged["head"], logged["tail"]) == (1, 2)


def test_small_classes_have_no_row(bundle, data):
    config = CONFIG.replace(min_class_size=2)

    found = measure(bundle, data, config)

    names = [c["class"] for c in found["judged"]["graded"]["classes"]]
    assert "generic" in names
    assert "head" not in names


def test_example_pages_show_titles_and_grades(report):
    examples = {e["query"]: e for e in report["example_pages"]}
    page = examples["tea"]["page"]
    assert [place["title"] for place in page] == [
        "茶壶 pot 3",
        "red mug 7",
        "茶壶 pot 0",
    ]
    assert [place["grade"] for place in page] == [1.0, None, 3.0]
    assert examples["mug"]["page"] == []
    assert "head" in examples["tea"]["classes"]


def test_the_person_and_the_history_reach_the_bundle(bundle, data):
    only = SearchData(items=data.items, past=data.past, test=data.test)

    found = measure(bundle, only, CONFIG)

    # the fake bundle gives the newest event of the history as its reason
    reasons = {
        (e["user_id"], e["query"]): e["page"][0]["reason"]
        for e in found["example_pages"]
    }
    assert (
        reasons.items()
        <= {
            ("u1", "tea"): "item-06",
            ("u1", "red"): "item-08",
            ("u2", "red"): "item-04",
        }.items()
    )
    assert len(reasons) >= 2


def test_absent_tables_are_null_with_a_reason(bundle, data):
    alone = measure(bundle, SearchData(items=data.items), CONFIG)
    assert (alone["judged"], alone["logged"]) == (None, None)
    assert alone["absent"] == {"judged": NO_JUDGMENTS, "logged": NO_EVENTS}
    assert headline(alone) == "search not measured"

    useless = SearchData(
        items=data.items,
        judgments=data.judgments.slice(4),
        past=data.past,
        test=data.test.drop(["query"]),
    )
    found = measure(bundle, useless, CONFIG)
    assert found["absent"] == {"judged": NO_USEFUL_JUDGMENTS, "logged": NO_SEARCHES}

    judged = SearchData(items=data.items, judgments=data.judgments)
    found = measure(bundle, judged, CONFIG)
    assert found["judged"]["graded"]["num_searches"] == 2
    assert found["absent"] == {"logged": NO_EVENTS}
    assert "head" not in {c["class"] for c in found["judged"]["graded"]["classes"]}


def test_what_nobody_bought_by_a_search_is_not_measured_as_zero(bundle, data):
    place = data.test.column_names.index("event")
    events = pc.replace_substring(data.test["event"], "purchase", "add_to_cart")
    carts = data.test.set_column(place, "event", events)
    unbought = dataclasses.replace(data, test=carts)

    found = measure(bundle, unbought, CONFIG)

    assert set(found["logged"]) == {"clicked"}
    assert found["logged"]["clicked"]["num_searches"] == 3
    assert found["absent"] == {"bought": NO_PURCHASES}
    assert "bought" not in found and "bought" not in headline(found)


def test_a_bundle_without_search_is_an_error(data, tmp_path):
    bundle = small_world.save_fake_bundle(tmp_path / "bundle")

    with pytest.raises(ArtifactError, match="signature `search`"):
        measure(bundle, data, CONFIG)


def test_metrics_file_is_plain_json(report, tmp_path):
    path = write_json(tmp_path / "metrics.json", report)

    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(
        json.dumps(report)
    )
    assert "judged (graded): bundle 0.344" in headline(report)


def test_examples_take_the_middling_search_of_each_class():
    classes = [frozenset({"head"})] * 3 + [frozenset({"chinese", "tail"})]

    assert choose_searches(classes, np.array([0.9, 0.1, 0.5, 0.0]), 5) == [3, 2]
    assert choose_searches(classes, np.array([0.9, 0.1, 0.5, 0.0]), 1) == [3]
