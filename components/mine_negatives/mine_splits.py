"""Ranker rows of every split and cut-off; free of TFX."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from components import worker_memory
from components.item_neighbours.build_tables import table_dir
from components.mine_parts import (
    PART_MOMENTS,
    MineParts,
    Miner,
    MiningTask,
    count_rows,
)
from components.moment_parts import MomentPart, plan_parts, read_part
from core import features
from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.progress import counted
from trainer.funnel.encoded_moments import encode_moments, moment_batch
from trainer.funnel.fit_fusion import fit_fusion, fusion_batches
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.mine import EmbedQuery, mine, mining_step
from trainer.funnel.ranker_rows import RankerRows, write_meta
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment, tower_inputs

log = logging.getLogger(__name__)
STEP = "MineNegatives"
# The splits that hold every candidate; the others hold sampled rows.
WHOLE_SPLITS = ("eval",)
SPLITS = ("train", "recent", "eval")
# Of the tower's nearest items, how many its index is to find; asked for so many people.
_RECALL, _ASKED = 0.98, 256


def mine_splits(
    moments_uri: str,
    tables_uri: str,
    out_uri: str,
    *,
    shop: ShopConfig,
    config: FunnelConfig,
    pipeline: beam.Pipeline,
    retriever: str | None = None,
) -> dict[str, int]:
    """Writes files of each cut-off into each split's folder; rows per split.

    The first stage's weights come first, from the train split alone (`fusion.json`).

    Args:
      moments_uri: JoinHistory's Examples.
      tables_uri: ItemNeighbours' folder.
      pipeline: not yet entered.
      retriever: folder of the retriever's SavedModel; its cosine joins the first stage.
    """
    for split in SPLITS:
        (Path(out_uri) / f"Split-{split}").mkdir(parents=True, exist_ok=True)
    parts = plan_parts(
        moments_uri,
        SPLITS,
        features.TIMESTAMP,
        max_moments=config.max_moments,
        size=PART_MOMENTS,
        seed=config.seed,
    )
    if parts:
        task = MomentTask(
            out_uri=out_uri,
            tables_uri=tables_uri,
            retriever=retriever,
            shop=shop,
            config=config,
            first_cutoff=parts[0].cutoff,
            training=_newest(parts, "train", config.fusion_cutoffs),
        )
        with pipeline:
            mining = MineParts(task, len(parts))
            _ = pipeline | "Parts" >> beam.Create(parts) | "MineParts" >> mining
        worker_memory.release()
    return count_rows(out_uri, SPLITS)


def _newest(
    parts: list[MomentPart], split: str, count: int
) -> tuple[tuple[MomentPart, ...], ...]:
    """The parts of the split's newest cut-offs, by cut-off."""
    mine = (part for part in parts if part.split == split)
    groups = [tuple(g) for _, g in itertools.groupby(mine, lambda part: part.cutoff)]
    return tuple(groups[-count:])


@dataclasses.dataclass(frozen=True, kw_only=True)
class MomentTask(MiningTask):
    """Paths and settings; every worker must be able to read the paths."""

    step = STEP
    out_uri: str
    tables_uri: str
    retriever: str | None
    shop: ShopConfig
    config: FunnelConfig
    first_cutoff: int
    training: tuple[tuple[MomentPart, ...], ...]  # by cut-off, of the first stage

    def tables_at(self, cutoff: int) -> ItemTables:
        return ItemTables.load(table_dir(self.tables_uri, cutoff))

    def build(self) -> MomentMiner:
        return MomentMiner(self)


class MomentMiner(Miner):
    """Mines recommendation moments."""

    def __init__(self, task: MomentTask) -> None:
        self._task = task
        loaded = tf.saved_model.load(task.retriever) if task.retriever else None
        vectors = None if loaded is None else loaded.item_embeddings.numpy()
        self._embed = None if loaded is None else embedder(loaded, task.shop)
        tables = task.tables_at(task.first_cutoff)
        self._funnel = build_funnel(tables, vectors, task.config)
        self._run = mining_step(self._funnel)

    def learn_first_stage(self) -> FusionWeights:
        """Fits the funnel's fusion to the newest cut-offs of the train moments."""
        funnel, config = self._funnel, self._funnel.config
        batches = []
        for parts in self._task.training:
            self._move_to(parts[0].cutoff)
            moments = pa.concat_tables([read_part(part) for part in parts])
            batches += fusion_batches(funnel, moments, funnel.tables.item_ids)
        if self._task.training:
            self._check_index(moments)
        return fit_fusion(
            batches,
            funnel.fusion.weights(),
            epochs=config.fusion_epochs,
            l2=config.fusion_l2,
            seed=config.seed,
        )

    def _check_index(self, moments: pa.Table) -> None:
        """Tells how many of the tower's nearest items its index finds."""
        constants = self._funnel.constants
        if constants.index is None or self._embed is None:
            return
        encoded = encode_moments(
            moments.slice(0, _ASKED), self._funnel.tables.item_ids, self._task.shop
        )
        numbers = np.arange(len(encoded))
        queries = self._embed(moment_batch(encoded, numbers, constants.num_items))
        recall = constants.index_recall(queries.numpy())
        log.info("index of the tower: recall %.3f", recall)
        if recall < _RECALL:
            log.warning(
                "The index of the tower must find %.0f %% of the nearest items. "
                "Received: %.1f %%. Raise `FunnelConfig.tower_probes`.",
                100 * _RECALL,
                100 * recall,
            )

    def use_first_stage(self, weights: FusionWeights) -> None:
        self._funnel.assign_fusion(weights)

    def mine(self, moments: pa.Table, cutoff: int, split: str) -> RankerRows:
        self._move_to(cutoff)
        found = mine(
            moments,
            self._funnel,
            self._funnel.tables.item_ids,
            embed_query=self._embed,
            run=self._run,
            sample=split not in WHOLE_SPLITS,
        )
        log.info("%s, cut-off %d: %s", split, cutoff, _summary(found))
        return found

    def describe(self, folder: str) -> None:
        write_meta(
            folder,
            feature_names=self._funnel.feature_names,
            event_types=self._funnel.shop.event_types,
        )

    def _move_to(self, cutoff: int) -> None:
        if self._funnel.tables.as_of != cutoff:
            self._funnel.swap_tables(self._task.tables_at(cutoff))


def embedder(retriever: Any, shop: ShopConfig) -> EmbedQuery:
    """The retriever's query tower as a function of a Moment."""

    def embed(moment: Moment) -> tf.Tensor:
        return retriever.embed_query(*tower_inputs(moment, shop.context_features))

    return embed


def _summary(found: RankerRows) -> str:
    target = int(found.labels.max(axis=1).sum()) if len(found.labels) else 0
    return (
        f"{counted(len(found.truth_size), 'moment')}, "
        f"{counted(len(found.rows), 'row')}, "
        f"{target:,} with an event"
    )
