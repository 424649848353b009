from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputDataError
from shops import chorus, read_tables, write_tables
from tests.shops.contract_checks import assert_obeys_contract

PRODUCTS = pd.DataFrame(
    [
        ("11", "Xerox  toner", "Xerox", "Toner (6 per box)", "colour: Black", None),
        ("12", "HP notebook", "HP", None, "ram: 4 GB", "2008-12-19"),
        ("13", "Café press", None, None, None, None),
    ],
    columns=[
        "item_id",
        "title",
        "brand",
        "short_description",
        "attributes",
        "date_released",
    ],
)
JUDGMENTS = "query\titem_id\tgrade\n" + "".join(
    f"query {number}\t11\t3\n" for number in range(20)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, judgments: str = JUDGMENTS) -> None:
    PRODUCTS.to_parquet(folder / "products.parquet")
    (folder / "judgments.tsv").write_text(judgments, encoding="utf-8")


def test_files_become_items_and_judgments(folder: Path) -> None:
    shop = chorus.load(folder)

    assert_obeys_contract(shop)
    items = shop.tables.items.to_pylist()
    assert [item["title"] for item in items] == [
        "Xerox toner",
        "HP notebook",
        "Café press",
    ]
    assert [item["description"] for item in items] == [
        "Toner (6 per box). colour: Black",
        "ram: 4 GB",
        None,
    ]
    assert shop.tables.judgments is not None
    assert shop.tables.judgments.num_rows == 20
    assert shop.tables.rejected.num_rows == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("toner\t99\t3", "item_id is not in items"),
        (" \t11\t3", "no query"),
        ("toner\t11\t2.5", "grade is not a whole number"),
        ("toner\t11\tgood", "grade is not a whole number"),
        ("toner\t11\t", "no grade"),
        ("toner\t11\t-1", "grade is below zero"),
        ("query 3\t11\t0", "query and item_id appear before"),
        ("toner\t11", "wrong number of columns"),
    ],
)
def test_broken_judgment_is_set_aside_with_its_reason(
    folder: Path, row: str, reason: str
) -> None:
    write(folder, JUDGMENTS + row + "\n")

    shop = chorus.load(folder)

    assert shop.tables.rejected["table"].to_pylist() == ["judgments"]
    assert shop.tables.rejected["reason"].to_pylist() == [reason]
    assert shop.tables.judgments is not None
    assert shop.tables.judgments.num_rows == 20


def test_no_judgment_left_is_an_error(folder: Path) -> None:
    write(folder, "query\titem_id\tgrade\ntoner\t99\t3\n")

    with pytest.raises(InputDataError, match="no row of `judgments`"):
        chorus.load(folder)


def test_shop_without_events_survives_its_folder(folder: Path, tmp_path: Path) -> None:
    shop = chorus.load(folder)
    again = read_tables(write_tables(shop, tmp_path / "tables"))

    assert again.tables.events.schema.equals(shop.tables.events.schema)
    assert not again.tables.has_events
    assert again.tables.judgments == shop.tables.judgments
    assert (again.config, again.splits) == (shop.config, shop.splits)


def test_real_files_have_the_counts_that_they_come_with(shared_data: Path) -> None:
    shop = chorus.load(shared_data / "chorus_icecat")

    assert_obeys_contract(shop)
    assert shop.tables.items.num_rows == 19_406
    assert shop.tables.judgments is not None
    judged = shop.tables.judgments.to_pandas()
    # 2,347 pairs over 68 queries, 66 of them with a product graded above 0
    assert (len(judged), judged["query"].nunique()) == (2_347, 68)
    assert judged[judged["grade"] > 0]["query"].nunique() == 66
    assert shop.tables.rejected.num_rows == 0
