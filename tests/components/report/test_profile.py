"""Columns as TFDV's own sketches count them, beside exact counts of the same frame."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from components.report.data import FeatureProfile, ReportData
from components.report.profile import COUNTED_VALUES, read_profiles
from components.report.write import render
from components.statistics_options import lean_stats_options

ROWS = 40_000
DAY = 86_400


def _frame() -> pd.DataFrame:
    """Texts of few, of many even and of many uneven values; numbers; nothing."""
    numbers = pd.Series(range(ROWS))
    uneven = "v" + (numbers % 3_000).astype(str)
    # Value `star` in 8,000 rows that are spread over the table.
    uneven = uneven.where(numbers % 5 != 0, "star")
    return pd.DataFrame(
        {
            "key": "k" + numbers.astype(str),
            "even": "e" + (numbers % 3_000).astype(str),
            "uneven": uneven,
            "few": (numbers % 4 == 0).map({True: "rare", False: "common"}),
            "timestamp": 1_740_960_000 + numbers % 3 * DAY,
            "price": 1.5 + numbers % 3,
            "nothing": pd.Series([None] * ROWS, dtype="float64"),
        }
    )


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uri = tmp_path_factory.mktemp("statistics")
    found = tfdv.generate_statistics_from_dataframe(_frame(), lean_stats_options())
    (uri / "Split-train").mkdir()
    (uri / "Split-train" / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return uri


@pytest.fixture(scope="module")
def columns(statistics: Path) -> dict[str, FeatureProfile]:
    return {p.name: p for p in read_profiles(str(statistics))}


def test_few_values_are_counted(columns: dict[str, FeatureProfile]) -> None:
    assert columns["few"].summary == "common (30,000) · rare (10,000)"
    assert columns["few"].distinct == "2"


def test_no_value_of_a_unique_key_is_called_frequent(
    columns: dict[str, FeatureProfile],
) -> None:
    for name in ("key", "even"):
        assert columns[name].summary == "no value stands out"
    assert columns["even"].distinct == "3,000"
    assert columns["key"].distinct.startswith("about ")
    estimate = int(columns["key"].distinct.removeprefix("about ").replace(",", ""))
    assert estimate == pytest.approx(ROWS, rel=0.05)


def test_a_value_that_leads_for_certain_has_bounds_around_its_count(
    columns: dict[str, FeatureProfile],
) -> None:
    name, _, bounds = columns["uneven"].summary.partition(" (")
    low, high = (int(b.replace(",", "")) for b in bounds.rstrip(")").split(" to "))
    assert name == "star" and "·" not in bounds
    assert low <= 8_000 <= high
    assert high - low <= ROWS / COUNTED_VALUES + 1


def test_times_are_days_and_what_is_missing_has_no_range(
    columns: dict[str, FeatureProfile],
) -> None:
    # 1,740,960,000 is 2025-03-03 00:00 UTC.
    assert columns["timestamp"].summary == (
        "2025-03-03 to 2025-03-05, median 2025-03-04"
    )
    assert columns["price"].summary == "1.5 to 3.5, median 2.5"
    assert columns["nothing"].summary == ""
    assert columns["nothing"].missing == 1.0


def test_a_small_unique_key_says_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item_id": [f"p{n}" for n in range(30)]})
    found = tfdv.generate_statistics_from_dataframe(frame, lean_stats_options())
    (tmp_path / "Split-train").mkdir()
    path = tmp_path / "Split-train" / "FeatureStats.pb"
    path.write_bytes(found.SerializeToString())
    (column,) = read_profiles(str(tmp_path))
    assert column.summary == "each value once"


def test_headings_name_the_split(columns: dict[str, FeatureProfile]) -> None:
    profiles = {"items": [columns["few"]], "events": [columns["few"]]}
    page = render(ReportData(shop="s", created=0, profiles=profiles))
    for table, said in (("items", "the whole catalogue"), ("events", "split train")):
        assert f'Columns of {table} <span class="faint">· {said}</span>' in page
