"""Ranker rows of every split and cut-off; free of TFX."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.item_neighbours.build_tables import table_dir
from core import features
from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.progress import advance
from trainer.data.examples import read_split
from trainer.funnel.fit_fusion import fit_fusion, fusion_batches
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.mine import (
    EmbedQuery,
    RankerRows,
    mine,
    mining_step,
    write_meta,
)
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment, tower_inputs

log = logging.getLogger(__name__)
STEP = "MineNegatives"
# The splits that hold every candidate; the others hold sampled rows.
WHOLE_SPLITS = ("eval",)
SPLITS = ("train", "recent", "eval")


def mine_splits(
    moments_uri: str,
    tables_uri: str,
    out_uri: str,
    *,
    shop: ShopConfig,
    config: FunnelConfig,
    retriever: str | None = None,
) -> dict[str, int]:
    """Writes one file per cut-off into each split's folder; rows per split.

    The first stage's weights come first, from the train split alone (`fusion.json`).

    Args:
      moments_uri: JoinHistory's Examples.
      tables_uri: ItemNeighbours' folder.
      retriever: folder of the retriever's SavedModel; its cosine joins the first stage.
    """
    loaded = tf.saved_model.load(retriever) if retriever else None
    moments = {name: read_split(moments_uri, name) for name in SPLITS}
    cutoffs = {
        int(c): name
        for name, table in moments.items()
        for c in np.unique(table.column(features.TIMESTAMP).to_numpy())
    }
    counts = dict.fromkeys(SPLITS, 0)
    for split in SPLITS:
        (Path(out_uri) / f"Split-{split}").mkdir(parents=True, exist_ok=True)
    if not cutoffs:
        return counts

    def tables_at(cutoff: int) -> ItemTables:
        return ItemTables.load(table_dir(tables_uri, cutoff))

    vectors = None if loaded is None else loaded.item_embeddings.numpy()
    funnel = CandidateFunnel(tables_at(min(cutoffs)), vectors, config)
    _learn_first_stage(funnel, moments["train"], tables_at)
    funnel.fusion.weights().save(out_uri)
    run = mining_step(funnel)
    for number, (cutoff, split) in enumerate(sorted(cutoffs.items())):
        tables = tables_at(cutoff)
        funnel.swap_tables(tables)
        found = mine(
            _at(moments[split], cutoff),
            funnel,
            tables.item_ids,
            embed_query=None if loaded is None else embedder(loaded, shop),
            run=run,
            sample=split not in WHOLE_SPLITS,
        )
        found.save(Path(out_uri) / f"Split-{split}" / f"part-{number:05d}.npz")
        counts[split] += len(found.rows)
        log.info("%s, cut-off %d: %s", split, cutoff, _summary(found))
        note = f"{sum(counts.values()):,} rows of {number + 1} cut-offs"
        advance(STEP, number + 1, len(cutoffs), note)
    write_meta(out_uri, funnel)
    return counts


def _learn_first_stage(
    funnel: CandidateFunnel,
    moments: pa.Table,
    tables_at: Callable[[int], ItemTables],
) -> None:
    """Fits the funnel's fusion to the newest cut-offs of the train moments."""
    cutoffs = np.unique(moments.column(features.TIMESTAMP).to_numpy())
    batches = []
    for cutoff in cutoffs[-funnel.config.fusion_cutoffs :]:
        tables = tables_at(int(cutoff))
        funnel.swap_tables(tables)
        found = fusion_batches(funnel, _at(moments, int(cutoff)), tables.item_ids)
        batches.extend(found)
    config = funnel.config
    fitted = fit_fusion(
        batches,
        funnel.fusion.weights(),
        epochs=config.fusion_epochs,
        l2=config.fusion_l2,
        seed=config.seed,
    )
    funnel.fusion.assign(fitted)


def embedder(retriever: Any, shop: ShopConfig) -> EmbedQuery:
    """The retriever's query tower as a function of a Moment."""

    def embed(moment: Moment) -> tf.Tensor:
        return retriever.embed_query(*tower_inputs(moment, shop.context_features))

    return embed


def _at(moments: pa.Table, cutoff: int) -> pa.Table:
    stamps = moments.column(features.TIMESTAMP).to_numpy()
    return moments.take(pa.array(np.flatnonzero(stamps == cutoff)))


def _summary(found: RankerRows) -> str:
    target = int(found.labels.max(axis=1).sum()) if len(found.labels) else 0
    return (
        f"{len(found.truth_size):,} moments, {len(found.rows):,} rows, "
        f"{target:,} with an event"
    )
