"""The DAG of a shop without events: items and judgments → search, measured and pushed.

The same components as every shop's, less those that learn from what people did:
no JoinHistory, Transform, Retriever, MineNegatives, rankers, EvaluateFunnel, Evaluator.
"""

from __future__ import annotations

from tfx.dsl.components.base.base_node import BaseNode

from components.clean.component import Clean
from components.evaluate_search.component import EvaluateSearch
from components.gates.search_gates import SearchGates
from components.ingest.component import Ingest
from components.item_neighbours.component import ItemNeighbours
from components.pusher.component import AtomicPusher
from components.report.component import Report
from components.search_bundle.component import SearchBundle
from components.text_encoder.component import TextEncoder
from core.config.souk import SoukConfig
from core.layout import LOAD_CURVE, TEXT_ENCODER_TABLE, HomeLayout
from pipeline.stages.data import Validated, ingest_judgments, validated
from pipeline.stages.release import benchmark


def stages_without_events(config: SoukConfig, layout: HomeLayout) -> list[BaseNode]:
    """All nodes in order, from `layout.tables` to a pushed model and a report."""
    ingest = Ingest(table="items", input_base=str(layout.tables)).with_id("IngestItems")
    judgments = ingest_judgments(layout)
    clean = Clean(
        items=ingest.outputs["examples"],
        events=None,
        shop=config.shop,
        splits=config.splits,
        config=config.clean,
        adapter_rejected=str(layout.tables / "rejected.parquet"),
    )
    checked = validated(
        "items", clean.outputs["items"], clean.outputs["summary"], config, layout
    )
    models = _models(config, clean, checked)
    judged = [judgments] if judgments else []
    release = _release(config, layout, clean, checked, models, judgments)
    return [ingest, *judged, clean, *checked.nodes, *models, *release]


def _models(config: SoukConfig, clean: BaseNode, checked: Validated) -> list[BaseNode]:
    """ItemNeighbours, TextEncoder, SearchBundle; nothing before the gate accepts."""
    tables = ItemNeighbours(
        items=clean.outputs["items"],
        events=clean.outputs["events"],
        shop=config.shop,
        splits=config.splits,
        config=config.neighbours,
    )
    encoder = TextEncoder(
        clean.outputs["items"],
        before=config.splits.test_start,
        config=config.text_encoder,
    )
    for node in (tables, encoder):
        node.add_upstream_node(checked.gate)
    bundle = SearchBundle(
        items=clean.outputs["items"],
        events=clean.outputs["events"],
        tables=tables.outputs["tables"],
        text_encoder=encoder.outputs["model"],
        item_vectors=encoder.outputs["item_vectors"],
        config=config.to_json(),
    )
    return [tables, encoder, bundle]


def _release(
    config: SoukConfig,
    layout: HomeLayout,
    clean: BaseNode,
    checked: Validated,
    models: list[BaseNode],
    judgments: BaseNode | None,
) -> list[BaseNode]:
    _, encoder, bundle = models
    """EvaluateSearch, SearchGates, Pusher, Report."""
    held = {"judgments": judgments.outputs["examples"]} if judgments else {}
    searched = EvaluateSearch(
        model=bundle.outputs["model"],
        items=clean.outputs["items"],
        shop=config.shop.to_json(),
        config=config.search_evaluation.to_json(),
        **held,
    )
    gates = SearchGates(
        model=bundle.outputs["model"],
        metrics=searched.outputs["metrics"],
        config=config.gates.to_json(),
    )
    pusher = AtomicPusher(
        model=bundle.outputs["model"],
        model_blessing=gates.outputs["blessing"],
        serving_dir=layout.serving,
    ).with_id("Pusher")
    report = Report(
        shop=layout.shop,
        path=str(layout.report),
        metadata_path=str(layout.metadata),
        model=bundle.outputs["model"],
        text_encoder=encoder.outputs["model"],
        text_encoder_table=benchmark(layout, TEXT_ENCODER_TABLE),
        load_curve=benchmark(layout, LOAD_CURVE),
        search_metrics=searched.outputs["metrics"],
        verdicts=gates.outputs["verdicts"],
        pushed_model=pusher.outputs["pushed_model"],
        clean_summary=clean.outputs["summary"],
        rejected=clean.outputs["rejected"],
        item_statistics=checked.statistics,
        items_gate=checked.gate.outputs["report"],
        **held,
    )
    return [searched, gates, pusher, report]
