"""Bundle → measured, judged, pushed, reported."""

from __future__ import annotations

from tfx.components import Evaluator
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.comparable_models import LatestComparableModel
from components.evaluate_funnel.component import EvaluateFunnel
from components.evaluate_search.component import EvaluateSearch
from components.evaluator_config.build import build_eval_config
from components.gates.component import Gates
from components.pusher.component import AtomicPusher
from components.rank_examples.component import RankExamples
from components.report.component import Report
from core.config.souk import SoukConfig
from core.layout import LOAD_CURVE, TEXT_ENCODER_TABLE, HomeLayout
from pipeline.stages.data import DataStage
from pipeline.stages.models import ModelStage


def release_stage(
    config: SoukConfig,
    layout: HomeLayout,
    data: DataStage,
    models: ModelStage,
    *,
    hold: bool = False,
    stock_resolver: bool = False,
) -> list[BaseNode]:
    """Evaluation through the bundle, TFMA, gates, push, report."""
    shop, evaluation = config.shop.to_json(), config.evaluation.to_json()
    last = _last_blessed(config, stock_resolver)
    measured = EvaluateFunnel(
        model=models.bundle,
        moments=data.moments,
        items=data.items,
        events=data.events,
        shop=shop,
        config=evaluation,
        baseline_model=last.outputs["model"],
        **({"uncompressed_model": models.uncompressed} if models.uncompressed else {}),
    )
    judgments = {"judgments": data.judgments} if data.judgments else {}
    searched = EvaluateSearch(
        model=models.bundle,
        items=data.items,
        events=data.events,
        shop=shop,
        config=config.search_evaluation.to_json(),
        **judgments,
    )
    examples = RankExamples(
        moments=data.moments,
        items=data.items,
        events=data.events,
        shop=shop,
        config=evaluation,
    )
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        model=models.bundle,
        baseline_model=last.outputs["model"],
        example_splits=["test"],
        eval_config=build_eval_config(config.shop, config.evaluation),
    )
    gates = Gates(
        model=models.bundle,
        metrics=measured.outputs["metrics"],
        evaluation_blessing=evaluator.outputs["blessing"],
        evaluation=evaluator.outputs["evaluation"],
        last_blessing=last.outputs["model_blessing"],
        config=config.gates.to_json(),
    )
    pusher = AtomicPusher(
        model=models.bundle,
        model_blessing=gates.outputs["blessing"],
        serving_dir=layout.serving,
        hold=hold,
    ).with_id("Pusher")
    report = _report(layout, data, models, measured, searched, gates, pusher)
    return [last, measured, searched, examples, evaluator, gates, pusher, report]


def _last_blessed(config: SoukConfig, stock_resolver: bool) -> Resolver:
    """The model that the new one is compared with, where there is one."""
    comparable = {
        "target_event": config.shop.target_event,
        "test_start": config.splits.test_start,
    }
    return Resolver(
        strategy_class=LatestBlessedModelStrategy
        if stock_resolver
        else LatestComparableModel,
        config={} if stock_resolver else comparable,
        model=Channel(type=Model, producer_component_id="Bundle"),
        model_blessing=Channel(type=ModelBlessing, producer_component_id="Gates"),
    ).with_id("LastBlessed")


def _report(
    layout: HomeLayout,
    data: DataStage,
    models: ModelStage,
    measured: BaseNode,
    searched: BaseNode,
    gates: BaseNode,
    pusher: BaseNode,
) -> BaseNode:
    runs = {
        f"{name}_run": node.outputs["model_run"]
        for name, node in models.trainers.items()
    }
    return Report(
        shop=layout.shop,
        path=str(layout.report),
        metadata_path=str(layout.metadata),
        model=models.bundle,
        metrics=measured.outputs["metrics"],
        search_metrics=searched.outputs["metrics"],
        verdicts=gates.outputs["verdicts"],
        pushed_model=pusher.outputs["pushed_model"],
        clean_summary=data.summary,
        rejected=data.rejected,
        item_statistics=data.statistics["items"],
        event_statistics=data.statistics["events"],
        items_gate=data.gates["items"],
        events_gate=data.gates["events"],
        text_encoder=models.text_encoder,
        text_encoder_table=benchmark(layout, TEXT_ENCODER_TABLE),
        load_curve=benchmark(layout, LOAD_CURVE),
        **({"judgments": data.judgments} if data.judgments else {}),
        **runs,
        **{name: node.outputs["model"] for name, node in models.trainers.items()},
    )


def benchmark(layout: HomeLayout, name: str) -> str:
    """What a benchmark left for this shop, "" without it."""
    path = layout.benchmarks / name
    return path.read_text("utf-8") if path.is_file() else ""
