"""The comparison of two engines' outputs sees what differs, and no order of rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv

from pipeline.flink import same_outputs
from trainer.data import examples


def _write(folder: Path, rows: list[str], shards: int) -> Path:
    table = pa.table({"item_id": rows})
    examples.write_split(str(folder / "events"), "train", table, shards)
    return folder


def test_order_and_shards_do_not_matter_and_rows_do(tmp_path: Path) -> None:
    one = _write(tmp_path / "one", ["a", "b", "b"], 1)
    other = _write(tmp_path / "other", ["b", "a", "b"], 2)
    assert same_outputs.same_outputs("Clean", one, other) == "1 tables equal by hash"
    lost = _write(tmp_path / "lost", ["b", "a"], 2)
    verdict = same_outputs.same_outputs("Clean", one, lost)
    assert verdict == "outputs differ: events/Split-train"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "differ" in same_outputs.same_outputs("Clean", empty, empty)


@pytest.mark.parametrize(
    ("values", "alike"),
    [([1.0, 2.0, 3.0], True), ([1.0, 2.0, 3.000001], True), ([1.0, 2.0, 3.1], False)],
)
def test_statistics_agree_within_a_tolerance(
    tmp_path: Path, values: list[float], alike: bool
) -> None:
    for name, numbers in (("one", [1.0, 2.0, 3.0]), ("other", values)):
        found = tfdv.generate_statistics_from_dataframe(
            pa.table({"price": numbers}).to_pandas()
        )
        folder = tmp_path / name / "Split-train"
        folder.mkdir(parents=True)
        (folder / "FeatureStats.pb").write_bytes(found.SerializeToString())
    differences = list(
        same_outputs.statistics_differences(tmp_path / "one", tmp_path / "other")
    )
    assert differences == ([] if alike else ["Split-train: price"])


def test_no_statistics_are_not_equal_statistics(tmp_path: Path) -> None:
    verdict = same_outputs.same_outputs("StatisticsEvents", tmp_path, tmp_path)
    assert verdict == "outputs differ: no statistics written"


def _mine(folder: Path, rows: list[int], cutoff: int = 7) -> Path:
    path = folder / "candidates" / "Split-train" / "part-00000-00000.npz"
    path.parent.mkdir(parents=True)
    group = [0] * (len(rows) - 1) + [1]
    np.savez(path, group=group, rows=rows, cutoff=[cutoff] * 2, truth_size=[1, 0])
    return folder


def test_mined_rows_may_differ_at_a_list_s_end_only(tmp_path: Path) -> None:
    one = _mine(tmp_path / "one", list(range(5000)))
    tie = _mine(tmp_path / "tie", [*range(4999), 9999])
    found = same_outputs.same_outputs("MineNegatives", one, tie)
    assert found == "4999 of 5001 rows alike"
    less = _mine(tmp_path / "less", list(range(4900)))
    assert "differ" in same_outputs.same_outputs("MineSearches", one, less)
    later = _mine(tmp_path / "later", list(range(5000)), cutoff=8)
    assert "differ: part" in same_outputs.same_outputs("MineNegatives", one, later)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no part" in same_outputs.same_outputs("MineNegatives", one, empty)
    assert "none written" in same_outputs.same_outputs("MineNegatives", empty, one)


def _measured(folder: Path, ndcg: float, seconds: float) -> Path:
    report = {"systems": {"bundle": {"ndcg": ndcg}}, "timing": {"s": seconds}}
    (folder / "metrics").mkdir(parents=True)
    (folder / "metrics" / "metrics.json").write_text(json.dumps(report))
    return folder


def test_metrics_of_pages_count_and_their_seconds_do_not(tmp_path: Path) -> None:
    one = _measured(tmp_path / "one", 0.25, 1.0)
    slow = _measured(tmp_path / "slow", 0.25, 9.0)
    worse = _measured(tmp_path / "worse", 0.24, 1.0)
    equal = "1 numbers equal within tolerance"
    assert same_outputs.same_outputs("EvaluateFunnel", one, slow) == equal
    verdict = same_outputs.same_outputs("EvaluateFunnel", one, worse)
    assert verdict == "outputs differ: /systems/bundle/ndcg"
