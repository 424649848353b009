from __future__ import annotations

import json

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest

from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.evaluate import (
    evaluate_funnel,
    headline,
    make_views,
)
from components.evaluate_funnel.read import read_test_set
from components.evaluate_funnel.test_set import build_test_set
from components.json_file import write_json
from core.config.evaluation import EvaluationConfig
from tests.components import small_world
from tests.components.small_world import ITEM_IDS, SHOP

CONFIG = EvaluationConfig(
    k_values=(3, 20),
    primary_k=3,
    bootstrap_samples=50,
    batch_size=7,
    activity_edges=(1, 6),
    num_example_pages=2,
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return small_world.save_fake_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def test_set(tmp_path_factory):
    uris = small_world.write_examples(tmp_path_factory.mktemp("examples"))
    return read_test_set(uris["moments"], uris["items"], uris["events"], SHOP, CONFIG)


@pytest.fixture(scope="module")
def report(bundle, test_set, tmp_path_factory):
    worse = bundle  # the same bundle stands for the last blessed one
    return evaluate_funnel(
        bundle,
        test_set,
        SHOP,
        CONFIG,
        pipeline=beam.Pipeline(),
        folder=tmp_path_factory.mktemp("answers"),
        other_models={"last_blessed": worse},
    )


def _expected_page(history, excluded, k):
    scores = [history.count(i) + (12 - n) / 100 for n, i in enumerate(ITEM_IDS)]
    order = sorted(range(12), key=lambda r: -scores[r])
    rows = [r for r in order if ITEM_IDS[r] not in excluded]
    return (rows + [-1] * k)[:k]


def test_pages_come_from_the_bundle_in_the_order_of_the_moments(bundle, test_set):
    client = BundleClient(bundle, ITEM_IDS, batch_size=7)
    rows, scores, reasons = client.recommend(test_set.moments, 20)
    histories = test_set.moments.column("history_item_ids").to_pylist()
    assert rows.tolist() == [_expected_page(h, (), 20) for h in histories]
    assert (np.diff(scores[:, :12]) <= 0).all()
    assert set(reasons[:, 0]) == {b"popular"}


def test_new_view_excludes_what_the_user_owns(bundle, test_set):
    client = BundleClient(bundle, ITEM_IDS, batch_size=7)
    rows, _, _ = client.recommend(test_set.moments, 20, test_set.owned)
    histories = test_set.moments.column("history_item_ids").to_pylist()
    assert rows.tolist() == [_expected_page(h, h, 20) for h in histories]


def test_ndcg_of_the_report_is_the_hand_made_one(report, test_set):
    total = 0.0
    targets = test_set.moments.column("target_item_ids").to_pylist()
    histories = test_set.moments.column("history_item_ids").to_pylist()
    for history, wanted in zip(histories, targets, strict=True):
        page = _expected_page(history, (), 3)
        gain = sum(
            1 / np.log2(p + 2) for p, r in enumerate(page) if ITEM_IDS[r] in wanted
        )
        ideal = sum(1 / np.log2(p + 2) for p in range(min(len(set(wanted)), 3)))
        total += gain / ideal
    found = report["systems"]["bundle"]["all"]["ndcg@3"]
    assert found["value"] == pytest.approx(total / len(targets))
    assert found["low"] <= found["value"] <= found["high"]


def test_equal_systems_differ_by_nothing(report):
    entry = report["differences"]["last_blessed"]["all"]["ndcg@3"]
    assert entry == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_slices_add_up_to_the_test_set(report, test_set):
    slices = [s for s in report["slices"] if s["view"] == "all"]
    assert {s["feature"] for s in slices} == {
        "country",
        "activity_bucket",
        "returning",
        "price_bucket",
    }
    for feature in {s["feature"] for s in slices}:
        chosen = [s for s in slices if s["feature"] == feature]
        assert sum(s["num_moments"] for s in chosen) == test_set.num_moments
        mean = sum(
            s["num_moments"] * s["systems"]["item_knn"]["ndcg@3"]["value"]
            for s in chosen
        )
        whole = report["systems"]["item_knn"]["all"]["ndcg@3"]["value"]
        assert mean / test_set.num_moments == pytest.approx(whole)


def test_views_baselines_examples_and_probabilities_are_there(report, test_set):
    views = make_views(test_set)
    assert report["num_moments"] == {v.name: len(v.numbers) for v in views}
    assert set(report["systems"]) == {
        "bundle",
        "popularity",
        "user_frequency",
        "item_knn",
        "last_blessed",
    }
    assert len(report["example_pages"]) == 2
    place = report["example_pages"][0]["page"][0]
    assert {"item_id", "title", "score", "reason", "hit", "owned"} <= set(place)
    assert 0.5 < report["probabilities"]["auc"] <= 1.0
    # Forty people, each with a page that holds the catalogue of twelve.
    assert report["probabilities"]["pages"] == 40
    assert report["probabilities"]["rows"] == 40 * 12
    assert "bundle 0." in headline(report)


def test_the_headline_has_a_dash_for_a_view_without_moments(report):
    empty = {**report, "num_moments": {"all": 40, "new": 0}}
    assert headline(empty).count("/—") == 5  # one a system


def test_metrics_file_is_plain_json(report, tmp_path):
    path = write_json(tmp_path / "metrics.json", report)
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(
        json.dumps(report)
    )


def test_a_test_set_without_new_items_still_has_a_report(bundle, tmp_path):
    events = small_world.events_table()
    moments = small_world.moments_table(events)
    owned = moments.column("history_item_ids").to_pylist()
    again = pa.array([sorted(set(items))[:2] for items in owned])
    kinds = pa.array([["purchase"] * len(items) for items in again.to_pylist()])
    for name, column in (("target_item_ids", again), ("target_events", kinds)):
        moments = moments.set_column(moments.schema.get_field_index(name), name, column)
    test_set = build_test_set(moments, small_world.items_table(), events, SHOP)
    report = evaluate_funnel(
        bundle,
        test_set,
        SHOP,
        CONFIG,
        pipeline=beam.Pipeline(),
        folder=tmp_path / "answers",
    )
    assert not (tmp_path / "answers").exists()
    assert report["num_moments"] == {"all": test_set.num_moments, "new": 0}
    assert report["systems"]["bundle"]["new"]["ndcg@3"]["value"] == 0.0
