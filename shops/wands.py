"""WANDS: 42,994 Wayfair products, 480 queries, 233,448 human judgments.

Chen, Y., Liu, S., Liu, Z., Sun, W., Baltrunas, L. and Schroeder, B. (2022). WANDS:
Dataset for Product Search Relevance Assessment. ECIR.
https://github.com/wayfair/WANDS, MIT.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from shops import judged
from shops.shop import Shop

NAME = "wands"
FOLDERS = ("dataset", "WANDS/dataset", "wands")
PRODUCT_COLUMNS = (
    "product_id",
    "product_name",
    "category hierarchy",
    "product_description",
    "product_features",
)
QUERY_COLUMNS = ("query_id", "query")
LABEL_COLUMNS = ("query_id", "product_id", "label")
GRADES = {"Exact": 2, "Partial": 1, "Irrelevant": 0}
TAB = "\t"


def load(data: Path) -> Shop:
    """The shop of a folder with product.csv, query.csv and label.csv.

    Raises:
      InputDataError: a file or a column is missing.
    """
    path = judged.find_file(data, "product.csv", FOLDERS)
    rows, bad_lines = judged.read_table(path, PRODUCT_COLUMNS, delimiter=TAB)
    item_checks = judged.checks_of("items", path, rows, bad_lines)
    label_path = judged.find_file(data, "label.csv", FOLDERS)
    labels, bad_labels = judged.read_table(label_path, LABEL_COLUMNS, delimiter=TAB)
    checks = judged.checks_of("judgments", label_path, labels, bad_labels)
    return judged.shop_of(
        NAME,
        _items(item_checks.raw),
        item_checks,
        pd.DataFrame(
            {
                "query": checks.raw["query_id"].map(_queries(data)).astype(object),
                "item_id": judged.text(checks.raw["product_id"]),
                "grade": judged.grades(checks.raw["label"], GRADES, checks),
            }
        ),
        checks,
    )


def _queries(data: Path) -> dict[str, str]:
    path = judged.find_file(data, "query.csv", FOLDERS)
    rows, _ = judged.read_table(path, QUERY_COLUMNS, delimiter=TAB)
    frame = rows.to_pandas()
    return dict(zip(frame["query_id"], judged.text(frame["query"]), strict=True))


def _items(raw: pd.DataFrame) -> pd.DataFrame:
    features = raw["product_features"].astype("string")
    features = features.str.replace(r"\s*:\s*", ": ", regex=True)
    features = features.str.replace(r"\s*\|\s*", "; ", regex=True)
    return pd.DataFrame(
        {
            "item_id": judged.text(raw["product_id"]),
            "title": judged.text(raw["product_name"]),
            "description": judged.joined(
                [judged.text(raw["product_description"]), judged.text(features)]
            ),
            "category": judged.text(raw["category hierarchy"]).str.replace(
                r"\s*/\s*", " > ", regex=True
            ),
        }
    )
