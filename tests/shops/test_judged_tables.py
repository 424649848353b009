"""A user's own judgments, and shops that have no events."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import InputDataError
from shops import tables
from tests.shops.contract_checks import assert_obeys_contract
from tests.shops.test_tables import MAPPING, folder, refused, write

__all__ = ["folder"]  # a fixture


JUDGED = "".join(f"red mug {number},a,2\n" for number in range(20))


def write_judged(folder: Path, rows: str) -> None:
    write(
        folder,
        mapping=MAPPING
        + "judgments:\n  file: judged.csv\n  columns: {item_id: sku, grade: rating}\n",
    )
    (folder / "judged.csv").write_text("query,sku,rating\n" + rows, encoding="utf-8")


def test_judgments_are_a_third_file(folder: Path) -> None:
    write_judged(folder, "red　mug,a,2\nred mug,b,0\n")

    judgments = tables.load(folder).tables.judgments

    assert judgments is not None
    assert judgments.to_pylist() == [
        {"query": "red mug", "item_id": "a", "grade": 2},
        {"query": "red mug", "item_id": "b", "grade": 0},
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("red mug,zzz,1", "item_id is not in items"),
        (" ,a,1", "no query"),
        ("red mug,a,0.5", "grade is not a whole number"),
        ("red mug,a,", "no grade"),
    ],
)
def test_broken_judgment_is_set_aside_with_its_reason(
    folder: Path, row: str, reason: str
) -> None:
    write_judged(folder, JUDGED + row + "\n")

    found = tables.load(folder).tables

    assert found.rejected["reason"].to_pylist() == [reason]
    assert found.rejected["table"].to_pylist() == ["judgments"]
    assert found.judgments is not None and found.judgments.num_rows == 20


def test_grades_that_are_words_name_the_column(folder: Path) -> None:
    write_judged(folder, "red mug,a,good\nred mug,b,bad\n")

    message = refused(folder)

    for part in ("judged.csv", "'rating'", "a whole number", "'good'"):
        assert part in message


def test_a_shop_may_have_no_events(folder: Path) -> None:
    write(
        folder,
        mapping="items:\n  file: products.csv\n"
        "  columns: {item_id: sku, title: name, price: unit_price}\n",
    )

    shop = tables.load(folder)

    assert_obeys_contract(shop)
    assert shop.tables.events.num_rows == 0
    assert shop.tables.judgments is None
    assert shop.tables.items["title"][0].as_py() == "Red mug"


def test_canonical_names_without_events_need_judgments(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"item_id": ["a"], "title": ["A"]}), tmp_path / "items.parquet"
    )
    with pytest.raises(InputDataError, match=r"events\.parquet or judgments\.parquet"):
        tables.load(tmp_path)
    judged = pa.table({"query": ["q"], "item_id": ["a"], "grade": [1]})
    pq.write_table(judged, tmp_path / "judgments.parquet")

    shop = tables.load(tmp_path)

    assert shop.tables.judgments is not None
    assert shop.tables.judgments.num_rows == 1
    assert not shop.tables.has_events
