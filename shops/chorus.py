"""Chorus: an electronics catalogue with human graded judgments.

Products (texts from Icecat, Open Content License) and ratings of the project
querqy/chorus, with second ratings of o19s/quepid; both Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.features import GRADE
from core.tables import JUDGMENTS
from shops import judged
from shops.columns import read_column
from shops.shop import Shop

NAME = "chorus"
FOLDERS = ("chorus", "chorus_icecat")
PRODUCT_COLUMNS = ("item_id", "title", "brand", "short_description", "attributes")
JUDGMENT_COLUMNS = ("query", "item_id", "grade")


def load(data: Path) -> Shop:
    """The shop of a folder with products.parquet and judgments.tsv.

    The description is the short description and then the attributes.

    Raises:
      InputDataError: a file or a column is missing.
    """
    path = judged.find_file(data, "products.parquet", FOLDERS)
    rows, bad_lines = judged.read_table(path, PRODUCT_COLUMNS)
    item_checks = judged.checks_of("items", path, rows, bad_lines)
    raw = item_checks.raw
    judged_path = judged.find_file(data, "judgments.tsv", FOLDERS)
    lines, bad = judged.read_table(judged_path, JUDGMENT_COLUMNS)
    checks = judged.checks_of("judgments", judged_path, lines, bad)
    grade = next(column for column in JUDGMENTS if column.name == GRADE)
    return judged.shop_of(
        NAME,
        pd.DataFrame(
            {
                "item_id": judged.text(raw["item_id"]),
                "title": judged.text(raw["title"]),
                "description": judged.joined(
                    [
                        judged.text(raw["short_description"]),
                        judged.text(raw["attributes"]),
                    ]
                ),
                "brand": judged.text(raw["brand"]),
            }
        ),
        item_checks,
        pd.DataFrame(
            {
                "query": judged.text(checks.raw["query"]),
                "item_id": judged.text(checks.raw["item_id"]),
                "grade": read_column(checks, "grade", grade),
            }
        ),
        checks,
    )
