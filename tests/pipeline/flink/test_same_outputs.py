"""The comparison of two engines' outputs sees what differs, and no order of rows."""

from __future__ import annotations

from pathlib import Path

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
