"""Files → clean, validated tables and the moments made of them."""

from __future__ import annotations

import dataclasses

from tfx.components import ExampleValidator, SchemaGen, StatisticsGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.types.channel import BaseChannel

from components.clean.component import Clean
from components.curate_schema.component import CurateSchema
from components.data_gate.component import DataGate
from components.ingest.component import Ingest
from components.join_history.component import JoinHistory
from components.statistics_options import lean_stats_options
from core.config.souk import SoukConfig
from core.layout import HomeLayout


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataStage:
    """Nodes in order, and the channels that later stages read."""

    nodes: list[BaseNode]
    items: BaseChannel
    events: BaseChannel
    moments: BaseChannel
    searches: BaseChannel
    judgments: BaseChannel | None  # None: the shop has none
    events_schema: BaseChannel
    summary: BaseChannel
    rejected: BaseChannel
    statistics: dict[str, BaseChannel]  # by table
    gates: dict[str, BaseChannel]  # by table, what each gate found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Validated:
    """The nodes that check one table; the gate is the last of them."""

    nodes: list[BaseNode]
    schema: BaseChannel
    statistics: BaseChannel

    @property
    def gate(self) -> BaseNode:
        return self.nodes[-1]


def data_stage(config: SoukConfig, layout: HomeLayout) -> DataStage:
    """Ingest, Clean, validation of both tables, JoinHistory."""
    items, events = (
        Ingest(
            table=table,
            input_base=str(layout.tables),
            context_features=context,
        ).with_id(f"Ingest{table.title()}")
        for table, context in (
            ("items", ()),
            ("events", config.shop.context_features),
        )
    )
    judgments = ingest_judgments(layout)
    clean = Clean(
        items=items.outputs["examples"],
        events=events.outputs["examples"],
        shop=config.shop,
        splits=config.splits,
        config=config.clean,
        adapter_rejected=str(layout.tables / "rejected.parquet"),
    )
    summary = clean.outputs["summary"]
    checked = {
        table: validated(table, clean.outputs[table], summary, config, layout)
        for table in ("items", "events")
    }
    join = JoinHistory(
        events=clean.outputs["events"],
        shop=config.shop,
        splits=config.splits,
        config=config.moments,
    )
    # Nothing is computed from data that a gate refused.
    join.add_upstream_nodes([each.gate for each in checked.values()])
    validation = [node for each in checked.values() for node in each.nodes]
    return DataStage(
        nodes=[
            items,
            events,
            *([judgments] if judgments else []),
            clean,
            *validation,
            join,
        ],
        items=clean.outputs["items"],
        events=clean.outputs["events"],
        moments=join.outputs["moments"],
        searches=join.outputs["searches"],
        judgments=judgments and judgments.outputs["examples"],
        events_schema=checked["events"].schema,
        summary=summary,
        rejected=clean.outputs["rejected"],
        statistics={name: each.statistics for name, each in checked.items()},
        gates={name: each.gate.outputs["report"] for name, each in checked.items()},
    )


def ingest_judgments(layout: HomeLayout) -> BaseNode | None:
    """Ingest of graded queries, where the shop's tables hold any."""
    if not (layout.tables / "judgments.parquet").is_file():
        return None
    node = Ingest(table="judgments", input_base=str(layout.tables))
    return node.with_id("IngestJudgments")


def validated(
    table: str,
    examples: BaseChannel,
    summary: BaseChannel,
    config: SoukConfig,
    layout: HomeLayout,
) -> Validated:
    """Statistics → schema → anomalies → gate, for one table."""
    title = table.title()
    statistics = StatisticsGen(
        examples=examples, stats_options=lean_stats_options()
    ).with_id(f"Statistics{title}")
    inferred = SchemaGen(
        statistics=statistics.outputs["statistics"], infer_feature_shape=False
    ).with_id(f"InferSchema{title}")
    schema_path = layout.schemas / f"{table}.pbtxt"
    curated = CurateSchema(
        schema=inferred.outputs["schema"],
        table=table,
        path=schema_path,
        shop=config.shop,
        config=config.validation,
    ).with_id(f"CurateSchema{title}")
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=curated.outputs["schema"]
    ).with_id(f"Validate{title}")
    gate = DataGate(
        statistics=statistics.outputs["statistics"],
        schema=curated.outputs["schema"],
        anomalies=validator.outputs["anomalies"],
        summary=summary,
        table=table,
        baseline=layout.schemas / f"{table}.accepted_statistics",
        log_path=layout.logs / f"data_gate_{table}.json",
        schema_path=schema_path,
        config=config.validation,
    ).with_id(f"Gate{title}")
    return Validated(
        nodes=[statistics, inferred, curated, validator, gate],
        schema=curated.outputs["schema"],
        statistics=statistics.outputs["statistics"],
    )
