from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import shops
from core.errors import ConfigError, InputDataError
from shops import esci
from tests.shops.contract_checks import assert_obeys_contract

EXAMPLES = pd.DataFrame(
    [
        (0, "#2 pencils", 7, "B1", "us", "E", 0, 1, "train"),
        (1, "#2 pencils", 7, "B2", "us", "S", 0, 1, "train"),
        (2, "red mug", 8, "B2", "us", "C", 1, 1, "test"),
        (3, "red mug", 8, "B3", "us", "I", 1, 1, "test"),
        (4, "red mug", 8, "B4", "us", "E", 1, 1, "test"),  # no such product
        (5, "taza roja", 9, "B1", "es", "E", 1, 1, "test"),
        (6, "blue mug", 10, "B2", "us", "E", 0, 1, "test"),
    ],
    columns=[
        "example_id",
        "query",
        "query_id",
        "product_id",
        "product_locale",
        "esci_label",
        "small_version",
        "large_version",
        "split",
    ],
)
PRODUCTS = pd.DataFrame(
    [
        ("B1", "Pencils", "<p>Twelve<br>pencils.</p>", "Yellow", "Ticonderoga", "us"),
        ("B2", "Blue mug", None, "Holds 300 ml", None, "us"),
        ("B3", "Saucer", None, None, "Acme", "us"),
        ("B9", "Never asked for", None, None, None, "us"),
        ("B1", "Lápices", None, None, None, "es"),
    ],
    columns=[
        "product_id",
        "product_title",
        "product_description",
        "product_bullet_point",
        "product_brand",
        "product_locale",
    ],
).assign(product_color=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    EXAMPLES.to_parquet(tmp_path / esci.EXAMPLES_FILE)
    PRODUCTS.to_parquet(tmp_path / esci.PRODUCTS_FILE)
    return tmp_path


def judgments(shop: shops.Shop) -> list[tuple[str, str, int]]:
    assert shop.tables.judgments is not None
    return [
        (r["query"], r["item_id"], r["grade"])
        for r in shop.tables.judgments.to_pylist()
    ]


def test_us_test_split_is_the_default(folder: Path) -> None:
    shop = esci.load(folder)

    assert_obeys_contract(shop)
    assert (shop.config.name, shop.config.currency) == ("esci", "USD")
    assert judgments(shop) == [
        ("red mug", "B2", 1),
        ("red mug", "B3", 0),
        ("blue mug", "B2", 3),
    ]
    assert shop.tables.rejected["reason"].to_pylist() == ["item_id is not in items"]


def test_items_are_those_that_some_example_names(folder: Path) -> None:
    items = esci.load(folder).tables.items.to_pylist()

    assert [item["item_id"] for item in items] == ["B1", "B2", "B3"]
    assert [item["description"] for item in items] == [
        "Twelve pencils. Yellow",
        "Holds 300 ml",
        None,
    ]
    assert [item["brand"] for item in items] == ["Ticonderoga", None, "Acme"]


def test_both_splits_on_demand(folder: Path) -> None:
    assert judgments(esci.load(folder, split=None))[:2] == [
        ("#2 pencils", "B1", 3),
        ("#2 pencils", "B2", 2),
    ]


def test_names_of_shops_stand_for_locale_and_version(folder: Path) -> None:
    small = shops.load("esci-small", data=folder)
    spanish = shops.load("esci-es", data=folder)

    assert {query for query, _, _ in judgments(small)} == {"red mug"}
    assert small.tables.items["item_id"].to_pylist() == ["B2", "B3"]
    assert judgments(spanish) == [("taza roja", "B1", 3)]
    assert spanish.tables.items["title"].to_pylist() == ["Lápices"]
    assert (spanish.config.name, spanish.config.currency) == ("esci-es", "EUR")


@pytest.mark.parametrize("options", [{"locale": "de"}, {"split": "dev"}])
def test_unknown_option_is_a_config_error(
    folder: Path, options: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="must be"):
        esci.load(folder, **options)  # type: ignore[arg-type]


def test_locale_without_rows_is_an_error(folder: Path) -> None:
    with pytest.raises(InputDataError, match="'jp'"):
        esci.load(folder, locale="jp")
