"""The search stage's nodes, what they read, and a shop with and without judgments."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import presets
from core.config.souk import SoukConfig
from core.layout import LOAD_CURVE, TEXT_ENCODER_TABLE, HomeLayout
from pipeline.create_pipeline import create_pipeline
from pipeline.stages.data import data_stage
from pipeline.stages.models import model_stage
from pipeline.stages.release import benchmark
from tests.components import shop_tables


@pytest.fixture
def config() -> SoukConfig:
    return presets.tiny(shop_tables.SHOP, shop_tables.SPLITS)


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    layout = HomeLayout(tmp_path, "corner")
    layout.tables.mkdir(parents=True)
    return layout


def test_search_is_trained_between_the_tables_and_the_bundle(
    config: SoukConfig, layout: HomeLayout
) -> None:
    nodes = create_pipeline(config, layout).components  # sorted by what each reads
    names = [node.id for node in nodes]
    order = [
        "TextEncoder",
        "Retriever",
        "MineNegatives",
        "MineSearches",
        "SearchRanker",
        "Bundle",
    ]
    assert sorted(order, key=names.index) == order
    by_name = dict(zip(names, nodes, strict=True))
    upstream = {node.id for node in by_name["MineSearches"].upstream_nodes}
    assert upstream == {
        "Clean",
        "JoinHistory",
        "ItemNeighbours",
        "TextEncoder",
        "MineNegatives",
        "Retriever",
    }
    upstream = {node.id for node in by_name["Bundle"].upstream_nodes}
    assert {"TextEncoder", "MineSearches", "SearchRanker"} <= upstream
    upstream = {node.id for node in by_name["Report"].upstream_nodes}
    assert {"TextEncoder", "Retriever", "Ranker", "SearchRanker"} <= upstream


def test_one_ranker_reads_both_kinds_of_candidates_where_asked(
    config: SoukConfig, layout: HomeLayout
) -> None:
    nodes = create_pipeline(config.replace(joint_ranker=True), layout).components
    by_name = {node.id: node for node in nodes}
    assert "SearchRanker" not in by_name
    upstream = {node.id for node in by_name["Ranker"].upstream_nodes}
    assert upstream == {"MineNegatives", "MineSearches"}
    bundle = by_name["Bundle"].inputs
    assert bundle["search_ranker"] is bundle["ranker"]


def test_the_report_shows_what_a_benchmark_left_and_notices_another(
    config: SoukConfig, layout: HomeLayout
) -> None:
    assert benchmark(layout, TEXT_ENCODER_TABLE) == ""
    layout.benchmarks.mkdir(parents=True)
    (layout.benchmarks / TEXT_ENCODER_TABLE).write_text('{"rows": []}')
    (layout.benchmarks / LOAD_CURVE).write_text('{"curves": {}}')
    nodes = create_pipeline(config, layout).components
    (report,) = [node for node in nodes if node.id == "Report"]
    assert report.exec_properties["text_encoder_table"] == '{"rows": []}'
    assert report.exec_properties["load_curve"] == '{"curves": {}}'


def test_the_encoder_has_not_seen_what_judges_search(
    config: SoukConfig, layout: HomeLayout
) -> None:
    nodes = model_stage(config, data_stage(config, layout)).nodes
    (encoder,) = [node for node in nodes if node.id == "TextEncoder"]
    assert encoder.exec_properties["before"] == config.splits.eval_start


def test_judgments_are_read_where_the_shop_has_them(
    config: SoukConfig, layout: HomeLayout
) -> None:
    without = data_stage(config, layout)
    assert without.judgments is None
    assert "IngestJudgments" not in [node.id for node in without.nodes]
    table = pa.table({"query": ["mug"], "item_id": ["i1"], "grade": [2]})
    pq.write_table(table, layout.tables / "judgments.parquet")
    stage = data_stage(config, layout)
    assert stage.judgments is not None
    assert [node.id for node in stage.nodes].count("IngestJudgments") == 1
    nodes = {node.id: node for node in create_pipeline(config, layout).components}
    upstream = {node.id for node in nodes["Report"].upstream_nodes}
    assert "IngestJudgments" in upstream
