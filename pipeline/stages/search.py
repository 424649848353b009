"""Texts → text encoder; search pages → mined pages, search ranker."""

from __future__ import annotations

import dataclasses

from tfx.dsl.components.base.base_node import BaseNode
from tfx.types.channel import BaseChannel

from components.mine_searches.component import MineSearches
from components.text_encoder.component import TextEncoder
from components.trainer.component import FunnelTrainer
from core.config.souk import SoukConfig
from pipeline.stages.data import DataStage


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchStage:
    """Nodes in order, and what the bundle takes of them by its inputs' names."""

    nodes: list[BaseNode]
    outputs: dict[str, BaseChannel]
    rankers: dict[str, BaseNode]  # `ranker` and, trained apart, `search_ranker`


def text_encoder(config: SoukConfig, data: DataStage) -> TextEncoder:
    """What the Retriever and search read of words."""
    encoder = TextEncoder(
        data.items,
        events=data.events,
        # The moments and pages of the evaluation period judge what is built on the
        # encoder, so it must not have seen what was clicked on them.
        before=config.splits.eval_start,
        config=config.text_encoder,
    )
    encoder.add_upstream_node(data.nodes[-1])
    return encoder


def search_stage(
    config: SoukConfig,
    data: DataStage,
    encoder: TextEncoder,
    *,
    tables: BaseChannel,
    candidates: BaseChannel,
    retriever: BaseChannel,
) -> SearchStage:
    """MineSearches, and the rankers of moments and of pages: two, or one for both.

    Args:
      encoder: see `text_encoder`.
      tables: ItemNeighbours' output.
      candidates: MineNegatives' output: the personal first stage, the moments' rows.
      retriever: its SavedModel.
    """
    mine = MineSearches(
        items=data.items,
        searches=data.searches,
        tables=tables,
        text_encoder=encoder.outputs["model"],
        item_vectors=encoder.outputs["item_vectors"],
        candidates=candidates,
        retriever=retriever,
        shop=config.shop,
        funnel=config.funnel,
        search=config.search,
    )
    pages = mine.outputs["search_candidates"]
    rankers = (_joint_ranker if config.joint_ranker else _two_rankers)(
        config, candidates, pages
    )
    return SearchStage(
        nodes=[mine, *rankers.values()],
        outputs={
            "text_encoder": encoder.outputs["model"],
            "item_vectors": encoder.outputs["item_vectors"],
            "search_candidates": pages,
            "search_ranker": [*rankers.values()][-1].outputs["model"],
        },
        rankers=rankers,
    )


def _two_rankers(
    config: SoukConfig, candidates: BaseChannel, pages: BaseChannel
) -> dict[str, BaseNode]:
    ranker = FunnelTrainer(
        run_fn="trainer.ranker_module.run_fn",
        custom_config={"config": config.ranker.to_json()},
        candidates=candidates,
    ).with_id("Ranker")
    search_ranker = FunnelTrainer(
        run_fn="trainer.search_ranker_module.run_fn",
        custom_config={"config": config.search_ranker.to_json()},
        candidates=pages,
    ).with_id("SearchRanker")
    return {"ranker": ranker, "search_ranker": search_ranker}


def _joint_ranker(
    config: SoukConfig, candidates: BaseChannel, pages: BaseChannel
) -> dict[str, BaseNode]:
    ranker = FunnelTrainer(
        run_fn="trainer.joint_ranker_module.run_fn",
        custom_config={
            "config": config.ranker.to_json(),
            "search_config": config.search_ranker.to_json(),
        },
        candidates=candidates,
        search_candidates=pages,
    ).with_id("Ranker")
    return {"ranker": ranker}
