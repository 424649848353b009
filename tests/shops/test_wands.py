from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputDataError
from shops import wands
from tests.shops.contract_checks import assert_obeys_contract

# Lines of the published shape: tab-separated, quotes where a text holds some.
PRODUCTS = "\n".join(
    (
        "product_id\tproduct_name\tproduct_class\tcategory hierarchy\t"
        "product_description\tproduct_features\trating_count\taverage_rating\t"
        "review_count",
        "0\tsolid wood platform bed\tBeds\tFurniture / Bedroom Furniture / Beds\t"
        "good , deep sleep .\toverallwidth-sidetoside:64.7|dsprimarymaterial : wood\t"
        "15.0\t4.5\t15.0",
        '1\t"7 quart ""slow"" cooker"\tSlow Cookers\tKitchen / Small Appliances\t'
        "\tcapacity : 7\t100.0\t2.0\t98.0",
        "2\tred armchair\t\t\t\t\t\t\t",
    )
)
QUERIES = "query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n1\t bed \tBeds"
LABELS = """id\tquery_id\tproduct_id\tlabel
0\t0\t2\tExact
1\t0\t0\tIrrelevant
2\t1\t0\tPartial
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, labels: str = LABELS) -> None:
    (folder / "product.csv").write_text(PRODUCTS + "\n", encoding="utf-8")
    (folder / "query.csv").write_text(QUERIES + "\n", encoding="utf-8")
    (folder / "label.csv").write_text(labels, encoding="utf-8")


def test_files_become_items_and_judgments(folder: Path) -> None:
    shop = wands.load(folder)

    assert_obeys_contract(shop)
    assert not shop.tables.has_events
    assert [
        {name: item[name] for name in ("item_id", "title", "description", "category")}
        for item in shop.tables.items.to_pylist()
    ] == [
        {
            "item_id": "0",
            "title": "solid wood platform bed",
            "description": "good , deep sleep. overallwidth-sidetoside: 64.7; "
            "dsprimarymaterial: wood",
            "category": "Furniture > Bedroom Furniture > Beds",
        },
        {
            "item_id": "1",
            "title": '7 quart "slow" cooker',
            "description": "capacity: 7",
            "category": "Kitchen > Small Appliances",
        },
        {
            "item_id": "2",
            "title": "red armchair",
            "description": None,
            "category": None,
        },
    ]
    assert shop.tables.judgments is not None
    assert shop.tables.judgments.to_pylist() == [
        {"query": "salon chair", "item_id": "2", "grade": 2},
        {"query": "salon chair", "item_id": "0", "grade": 0},
        {"query": "bed", "item_id": "0", "grade": 1},
    ]


def test_broken_labels_are_set_aside_and_counted(folder: Path) -> None:
    broken = "3\t9\t0\tExact\n4\t0\t77\tExact\n5\t1\t1\tPerfect\n6\t1\t0\tExact\n"
    write(folder, LABELS + broken)

    rejected = wands.load(folder).tables.rejected.to_pylist()

    assert [(row["table"], row["reason"]) for row in rejected] == [
        ("judgments", "no query"),
        ("judgments", "item_id is not in items"),
        ("judgments", "label is not one of Exact, Partial, Irrelevant"),
        ("judgments", "query and item_id appear before"),
    ]


def test_a_clone_of_the_repository_is_a_folder_too(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    write(tmp_path / "dataset")

    assert wands.load(tmp_path).tables.items.num_rows == 3


def test_missing_file_is_named(folder: Path) -> None:
    (folder / "query.csv").unlink()

    with pytest.raises(InputDataError, match=r"holds query\.csv"):
        wands.load(folder)


def test_missing_column_is_named(folder: Path) -> None:
    write(folder, LABELS.replace("product_id", "product"))

    with pytest.raises(InputDataError, match="no column product_id"):
        wands.load(folder)
