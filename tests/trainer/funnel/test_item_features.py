"""What the ranker is told of an item alone: shares of its category, and exposure."""

from __future__ import annotations

import fnmatch

import numpy as np
import pyarrow as pa

from core.config.neighbours import NeighboursConfig
from core.presets import EXPOSURE_FEATURES
from tests.trainer.funnel import tiny_shop
from trainer.funnel.tables import ItemTables, build_item_tables


def _tables(rows: list[tuple[str, str, str, int]]) -> ItemTables:
    users, ids, kinds, days = zip(*rows, strict=True)
    stamps = [tiny_shop.T2 - d * tiny_shop.DAY for d in days]
    return build_item_tables(
        tiny_shop.items(),
        pa.table(
            {
                "user_id": users,
                "item_id": ids,
                "event": kinds,
                "timestamp": pa.array(stamps, pa.int64()),
            }
        ),
        as_of=tiny_shop.T2,
        shop=tiny_shop.SHOP,
        config=NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8),
    )


def test_an_items_share_of_the_people_of_its_category() -> None:
    # Items 0, 4, 8, ..., 28 are of one category: eight. Two people touched item 0 in
    # the last 14 days, one item 4; every item has half a person more.
    tables = _tables(
        [
            ("a", "i00", "view", 3),
            ("a", "i00", "purchase", 2),
            ("b", "i00", "view", 9),
            ("c", "i04", "view", 13),
            ("c", "i08", "view", 40),
            ("d", "i01", "view", 1),  # another category
        ]
    )
    columns = dict(zip(tables.feature_names, tables.features.T, strict=True))
    total = 3 + 8 * 0.5
    expected = np.log([2.5 / total, 1.5 / total, 0.5 / total])
    found = columns["item_in_category_14d"][[0, 4, 8]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(
        columns["category_people_14d"][[0, 4]], np.log(total), rtol=1e-5
    )
    # 60 days: one more, of item 8.
    found = columns["item_in_category_60d"][8]
    np.testing.assert_allclose(found, np.log(1.5 / (total + 1)), rtol=1e-5)


def test_the_search_ranker_sees_no_feature_that_tells_what_was_shown() -> None:
    """Whoever adds a feature of items decides here whether it does."""
    names = _tables([("a", "i00", "purchase", 3)]).feature_names
    shown = [any(fnmatch.fnmatch(n, p) for p in EXPOSURE_FEATURES) for n in names]
    rest = {name for name, tells in zip(names, shown, strict=True) if not tells}
    assert rest == {
        *("item_view_to_target", "item_age", "item_is_cold"),
        *("item_repeat_rate", "item_repeat_gap", "item_price", "item_price_known"),
    }
