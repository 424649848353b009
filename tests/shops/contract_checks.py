"""The data contract as assertions, for any adapter's tables."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from core import features, tables
from shops.shop import Shop

KINDS = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}


def assert_obeys_contract(shop: Shop) -> None:
    for name, columns in tables.TABLES.items():
        table = getattr(shop.tables, name)
        if table is None:
            assert name == "judgments"
            continue
        assert table.num_rows > 0 or name == "events"
        for column in columns:
            assert table.schema.field(column.name).type == KINDS[column.kind]
            if column.required:
                assert table[column.name].null_count == 0
    items, events = shop.tables.items, shop.tables.events
    assert pc.count_distinct(items["item_id"]).as_py() == items.num_rows
    known = pc.is_in(events["item_id"], value_set=items["item_id"])
    assert pc.all(known).as_py() in (True, None)  # None: there are no events
    assert set(events["event"].unique().to_pylist()) <= set(features.EVENTS)
    assert pc.all(pc.greater(items["price"], 0)).as_py() in (True, None)
    assert pc.all(pc.greater(events["price"], 0)).as_py() in (True, None)
    if shop.tables.judgments is not None:
        judged = shop.tables.judgments
        assert pc.all(pc.is_in(judged["item_id"], value_set=items["item_id"])).as_py()
        assert pc.min(judged["grade"]).as_py() >= 0
        pairs = judged.group_by(["query", "item_id"]).aggregate([])
        assert pairs.num_rows == judged.num_rows
    for name in shop.config.context_features:
        assert events.schema.field(name).type == pa.string()
    assert shop.tables.rejected.column_names == ["table", "row", "reason"]
