"""Moments → features, towers, mined candidates, ranker, and the bundle of them."""

from __future__ import annotations

import dataclasses

from tfx.components import Transform
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import transform_pb2
from tfx.types.channel import BaseChannel

from components.bundle.component import Bundle
from components.compress.component import Compress
from components.item_neighbours.component import ItemNeighbours
from components.mine_negatives.component import MineNegatives
from components.trainer.component import FunnelTrainer
from core.config.souk import SoukConfig
from pipeline.stages.data import DataStage
from pipeline.stages.search import SearchStage, search_stage, text_encoder


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelStage:
    """Nodes in order, and the channels that later stages read."""

    nodes: list[BaseNode]
    bundle: BaseChannel
    uncompressed: BaseChannel | None  # where compression is on
    text_encoder: BaseChannel
    trainers: dict[str, BaseNode]  # `retriever`, `ranker`, `search_ranker`


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressStage:
    """The node, if any, and what the bundle takes of it by its inputs' names."""

    nodes: list[BaseNode]
    outputs: dict[str, BaseChannel]


def model_stage(config: SoukConfig, data: DataStage) -> ModelStage:
    """Neighbours, texts and features; towers and rankers on them; the bundle of all."""
    neighbours = item_neighbours(config, data)
    graph = transform(config, data)
    encoder = text_encoder(config, data)
    retriever = FunnelTrainer(
        run_fn="trainer.retriever_module.run_fn",
        custom_config={"config": config.retriever.to_json()},
        examples=data.events,
        transform_graph=graph.outputs["transform_graph"],
        schema=data.events_schema,
        items=data.items,
        moments=data.moments,
        searches=data.searches,
        text_encoder=encoder.outputs["model"],
        item_vectors=encoder.outputs["item_vectors"],
    ).with_id("Retriever")
    mine = MineNegatives(
        moments=data.moments,
        tables=neighbours.outputs["tables"],
        retriever=retriever.outputs["model"],
        shop=config.shop,
        config=config.funnel,
    )
    search = search_stage(
        config,
        data,
        encoder,
        tables=neighbours.outputs["tables"],
        candidates=mine.outputs["candidates"],
        retriever=retriever.outputs["model"],
    )
    compress = _compress(config, mine, search)
    bundle = Bundle(
        items=data.items,
        events=data.events,
        tables=neighbours.outputs["tables"],
        retriever=retriever.outputs["model"],
        ranker=search.rankers["ranker"].outputs["model"],
        candidates=mine.outputs["candidates"],
        shop=config.shop,
        splits=config.splits,
        funnel=config.funnel,
        config=config.bundle,
        search=config.search,
        compress=config.compress,
        **search.outputs,
        **compress.outputs,
    )
    personal = [neighbours, graph, encoder, retriever, mine]
    return ModelStage(
        nodes=[*personal, *search.nodes, *compress.nodes, bundle],
        bundle=bundle.outputs["model"],
        uncompressed=bundle.outputs["uncompressed"]
        if config.compress.enabled
        else None,
        text_encoder=encoder.outputs["model"],
        trainers={"retriever": retriever, **search.rankers},
    )


def _compress(config: SoukConfig, mine: BaseNode, search: SearchStage) -> CompressStage:
    """Compress, where it is on; one ranker for both sides stays as it was trained."""
    if not config.compress.enabled or config.joint_ranker:
        return CompressStage(nodes=[], outputs={})
    node = Compress(
        ranker=search.rankers["ranker"].outputs["model"],
        candidates=mine.outputs["candidates"],
        search_ranker=search.outputs["search_ranker"],
        search_candidates=search.outputs["search_candidates"],
        config=config.compress.to_json(),
    )
    return CompressStage(
        nodes=[node],
        outputs={
            "compressed_ranker": node.outputs["compressed_ranker"],
            "compressed_search_ranker": node.outputs["compressed_search_ranker"],
            "compression": node.outputs["facts"],
        },
    )


def item_neighbours(config: SoukConfig, data: DataStage) -> ItemNeighbours:
    """Item tables as of every cut-off, once the gates have let the tables pass."""
    node = ItemNeighbours(
        items=data.items,
        events=data.events,
        shop=config.shop,
        splits=config.splits,
        config=config.neighbours,
    )
    node.add_upstream_node(data.nodes[-1])
    return node


def transform(config: SoukConfig, data: DataStage) -> Transform:
    """The graph only: the trainers transform the little they need themselves."""
    node = Transform(
        examples=data.events,
        schema=data.events_schema,
        preprocessing_fn="trainer.transform_module.preprocessing_fn",
        custom_config={"config": config.transform.to_json()},
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=[]),
        materialize=False,
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    # Gates guard the moments; this reads the tables, so it waits for them too.
    node.add_upstream_node(data.nodes[-1])
    return node
