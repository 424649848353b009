"""The data half of the pipeline on a small shop: good span, again, broken span."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tfx.components import ExampleValidator, SchemaGen, StatisticsGen

from components.clean.component import Clean
from components.curate_schema.component import CurateSchema
from components.data_gate.component import DataGate
from components.ingest.component import Ingest
from components.join_history.component import JoinHistory
from components.statistics_options import lean_stats_options
from core.errors import InputDataError
from tests.components import runs, shop_tables
from trainer.data import examples


def _nodes(root: Path, tables: Sequence[str] = ("items", "events")) -> list[Any]:
    shop, splits = shop_tables.SHOP, shop_tables.SPLITS
    folder = str(root / "tables")
    items = Ingest("items", folder).with_id("Ingest.items")
    events = Ingest("events", folder, context_features=shop.context_features).with_id(
        "Ingest.events"
    )
    clean = Clean(items.outputs["examples"], events.outputs["examples"], shop, splits)
    join = JoinHistory(clean.outputs["events"], shop, splits)
    nodes = [items, events, clean, join]
    for table in tables:
        statistics = StatisticsGen(
            examples=clean.outputs[table], stats_options=lean_stats_options()
        ).with_id(f"StatisticsGen.{table}")
        inferred = SchemaGen(statistics=statistics.outputs["statistics"]).with_id(
            f"SchemaGen.{table}"
        )
        path = root / "schemas" / f"{table}.pbtxt"
        curated = CurateSchema(inferred.outputs["schema"], table, path, shop).with_id(
            f"CurateSchema.{table}"
        )
        validator = ExampleValidator(
            statistics=statistics.outputs["statistics"],
            schema=curated.outputs["schema"],
        ).with_id(f"ExampleValidator.{table}")
        gate = DataGate(
            statistics.outputs["statistics"],
            curated.outputs["schema"],
            validator.outputs["anomalies"],
            table,
            summary=clean.outputs["summary"],
            baseline=root / "accepted" / f"{table}.pb",
            log_path=root / "logs" / f"gate-{table}.json",
            schema_path=path,
        ).with_id(f"DataGate.{table}")
        join.add_upstream_node(gate)
        nodes += [statistics, inferred, curated, validator, gate]
    return nodes


def _verdict(root: Path) -> dict[str, Any]:
    text = (root / "logs" / "gate-events.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


def test_good_span_passes_and_a_broken_one_is_stopped(tmp_path: Path) -> None:
    items, events = shop_tables.items_table(), shop_tables.events_table()
    shop_tables.write_tables(tmp_path / "tables", items, events)
    runs.run_nodes(tmp_path, _nodes(tmp_path))
    moments = runs.output_uri(tmp_path, "JoinHistory", "moments")
    # 8 users, one event a day from day 60 to 109: everybody has moments at T1 and T2.
    assert examples.read_split(moments, "eval").num_rows == 8
    test = examples.read_split(moments, "test").to_pylist()
    assert [len(row["history_item_ids"]) for row in test] == [40] * 8
    assert [len(row["target_item_ids"]) for row in test] == [7] * 8
    assert _verdict(tmp_path)["accepted"] is True

    runs.run_nodes(tmp_path, _nodes(tmp_path))
    states = runs.execution_states(tmp_path)
    assert all(state == ["COMPLETE", "CACHED"] for state in states.values()), states

    broken = _moved_abroad_at_a_hundredfold(events)
    shop_tables.write_tables(tmp_path / "tables", items, broken)
    with pytest.raises(InputDataError, match="nothing was trained or pushed") as error:
        runs.run_nodes(tmp_path, _nodes(tmp_path, ["events"]))
    assert "country" in str(error.value)
    assert str(tmp_path / "schemas" / "events.pbtxt") in str(error.value)
    assert str(tmp_path / "accepted" / "events.pb") in str(error.value)
    verdict = _verdict(tmp_path)
    assert verdict["accepted"] is False
    assert {finding["feature"] for finding in verdict["findings"]} == {
        "event_price",
        "country",
    }
    states = runs.execution_states(tmp_path)
    assert states["DataGate.events"] == ["COMPLETE", "CACHED", "FAILED"]
    assert len(states["JoinHistory"]) == 2  # nothing ran behind the gate

    # Refused again: the broken span did not become the accepted one.
    with pytest.raises(InputDataError):
        runs.run_nodes(tmp_path, _nodes(tmp_path, ["events"]))


def test_an_edited_schema_is_obeyed_and_unseen_values_stop_the_run(
    tmp_path: Path,
) -> None:
    # Days 60 to 94 only: the test split is empty, which is no anomaly.
    items, events = shop_tables.items_table(), shop_tables.events_table(days=35)
    shop_tables.write_tables(tmp_path / "tables", items, events)
    runs.run_nodes(tmp_path, _nodes(tmp_path, ["events"]))
    assert _verdict(tmp_path)["rows"] == {"train": 264, "eval": 16, "test": 0}
    path = tmp_path / "schemas" / "events.pbtxt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('value: "purchase"', 'value: "sale"'))
    with pytest.raises(InputDataError, match=r"event \(train\): .*purchase") as error:
        runs.run_nodes(tmp_path, _nodes(tmp_path, ["events"]))
    # Nothing has drifted: other statistics to compare with would not help.
    assert str(tmp_path / "accepted") not in str(error.value)
    assert 'value: "sale"' in path.read_text(encoding="utf-8")


def _moved_abroad_at_a_hundredfold(events: pa.Table) -> pa.Table:
    price = events.column_names.index("price")
    raised = pc.multiply(events.column("price"), pa.scalar(100, pa.float32()))
    events = events.set_column(price, "price", raised)
    country = events.column_names.index("country")
    return events.set_column(country, "country", pa.array(["XX"] * events.num_rows))
