"""ESCI, the Shopping Queries Dataset: Amazon products, queries, human judgments.

Reddy, C. K. et al. (2022). Shopping Queries Dataset: A Large-Scale ESCI Benchmark for
Improving Product Search. arXiv:2206.06588.
https://github.com/amazon-science/esci-data, Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import ConfigError, InputDataError
from shops import judged
from shops.shop import Shop

LOCALES = {"us": "USD", "es": "EUR", "jp": "JPY"}
SPLITS = ("train", "test")
# Shop names and the options that they stand for.
NAMES: dict[str, dict[str, Any]] = {
    "esci" + ("" if locale == "us" else f"-{locale}") + ("-small" if small else ""): {
        "locale": locale,
        "small_version": small,
    }
    for locale in LOCALES
    for small in (False, True)
}
EXAMPLES_FILE = "shopping_queries_dataset_examples.parquet"
PRODUCTS_FILE = "shopping_queries_dataset_products.parquet"
FOLDERS = ("shopping_queries_dataset", "esci-data/shopping_queries_dataset")
EXAMPLE_COLUMNS = (
    "query",
    "product_id",
    "product_locale",
    "esci_label",
    "small_version",
    "split",
)
PRODUCT_COLUMNS = (
    "product_id",
    "product_title",
    "product_description",
    "product_bullet_point",
    "product_brand",
    "product_locale",
)
GRADES = {"E": 3, "S": 2, "C": 1, "I": 0}


def load(
    data: Path,
    *,
    locale: str = "us",
    small_version: bool = False,
    split: str | None = "test",
) -> Shop:
    """The shop of a folder with the two published Parquet files.

    Args:
      data: the folder.
      locale: `us`, `es` or `jp`.
      small_version: keep the reduced set of harder queries only.
      split: whose judgments; None for both. The items are those of both splits.

    Raises:
      ConfigError: there is no such locale or split.
      InputDataError: a file or a column is missing, or the locale has no rows.
    """
    if locale not in LOCALES:
        raise ConfigError(
            f"`locale` must be one of {', '.join(LOCALES)}. Received: {locale!r}."
        )
    if split not in (None, *SPLITS):
        raise ConfigError(
            f"`split` must be {', '.join(SPLITS)} or None. Received: {split!r}."
        )
    examples_path = judged.find_file(data, EXAMPLES_FILE, FOLDERS)
    examples = _of_locale(examples_path, EXAMPLE_COLUMNS, locale)
    if small_version:
        examples = examples.filter(pc.equal(examples["small_version"], 1))
    products_path = judged.find_file(data, PRODUCTS_FILE, FOLDERS)
    products = _of_locale(products_path, PRODUCT_COLUMNS, locale)
    named = pc.is_in(
        products["product_id"], value_set=pc.unique(examples["product_id"])
    )
    if split is not None:
        examples = examples.filter(pc.equal(examples["split"], split))
    item_checks = judged.checks_of("items", products_path, products.filter(named), [])
    checks = judged.checks_of("judgments", examples_path, examples, [])
    return judged.shop_of(
        next(
            name
            for name, options in NAMES.items()
            if options == {"locale": locale, "small_version": small_version}
        ),
        _items(item_checks.raw),
        item_checks,
        pd.DataFrame(
            {
                "query": judged.text(checks.raw["query"]),
                "item_id": judged.text(checks.raw["product_id"]),
                "grade": judged.grades(checks.raw["esci_label"], GRADES, checks),
            }
        ),
        checks,
        currency=LOCALES[locale],
    )


def _of_locale(path: Path, columns: tuple[str, ...], locale: str) -> pa.Table:
    rows, _ = judged.read_table(path, columns)
    found = rows.filter(pc.equal(rows["product_locale"], locale))
    if found.num_rows == 0:
        raise InputDataError(
            f"{path} has no row with product_locale {locale!r}. Use the published file "
            "as it is."
        )
    return found


def _items(raw: pd.DataFrame) -> pd.DataFrame:
    def plain(name: str) -> pd.Series:
        """Text without HTML tags."""
        return judged.text(raw[name].str.replace(r"<[^>]+>", " ", regex=True))

    return pd.DataFrame(
        {
            "item_id": judged.text(raw["product_id"]),
            "title": plain("product_title"),
            "description": judged.joined(
                [plain("product_description"), plain("product_bullet_point")]
            ),
            "brand": plain("product_brand"),
        }
    )
