"""Ranker rows of every search page and the first stage's weights; free of TFX."""

from __future__ import annotations

import dataclasses
import itertools
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
from core.config.search import SearchConfig
from trainer.data.examples import read_split
from trainer.funnel.fit_fusion import fit_fusion
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.ranker_rows import RankerRows, write_meta
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import ItemTables
from trainer.search.analyzer import Analyzer
from trainer.search.catalogue_words import CatalogueWords
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex
from trainer.search.mine_pages import (
    EncodedPages,
    encode_pages,
    fusion_batches_of_pages,
    mine_pages,
    page_step,
    search_events,
)
from trainer.search.position_bias import Propensities
from trainer.search.query_click_index import QueryClickIndex
from trainer.search.query_clicks import QueryClicks
from trainer.search.search_funnel import SearchFunnel
from trainer.search.spelling import Spelling

STEP = "MineSearches"
SPLITS = ("train", "eval")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchInputs:
    """Where the parts that search is made of lie."""

    items: str  # URI of the items Examples
    searches: str  # URI of JoinHistory's search pages
    tables: str  # folder of ItemNeighbours
    text_encoder: str  # SavedModel
    item_vectors: str  # folder of `item_vectors.npy`
    candidates: str  # MineNegatives' folder: the personal first stage's weights
    retriever: str = ""  # SavedModel; "": a shop without one


def build_search_funnel(
    inputs: SearchInputs,
    cutoff: int,
    funnel: CandidateFunnel,
    config: SearchConfig,
    fusion: FusionWeights | None = None,
    encoder: Any = None,
    retriever: Any = None,
) -> SearchFunnel:
    """The search funnel over one catalogue, clicks as of `cutoff`.

    Args:
      inputs: where the parts lie.
      cutoff: clicks and tables are as of it.
      funnel: the personal side.
      config: sizes.
      fusion: the first stage's weights; None: the documented defaults.
      encoder: the text encoder, where the caller has it loaded already.
      retriever: the loaded SavedModel, whose item embeddings `funnel` has. It holds
        the text encoder, which then is not loaded, and later saved, a second time.
    """
    items = read_split(inputs.items, "train")
    analyzer = Analyzer()
    index = build_inverted_index(items, config.lexical, analyzer)
    clicks = QueryClicks.load(table_dir(inputs.tables, cutoff))
    spelling = None
    if config.correct_spelling:
        spelling = Spelling(CatalogueWords(items), index.terms, clicks)
    return SearchFunnel(
        funnel,
        LexicalIndex(index, config.lexical, analyzer, spelling),
        encoder or _encoder(inputs, retriever),
        np.load(Path(inputs.item_vectors) / "item_vectors.npy"),
        QueryClickIndex(clicks),
        config,
        fusion,
        retriever,
    )


def _encoder(inputs: SearchInputs, retriever: Any) -> Any:
    """The text encoder inside the retriever, or from its own file."""
    if retriever is not None:
        return retriever.text_encoder
    return tf.saved_model.load(inputs.text_encoder)


def mine_searches(
    inputs: SearchInputs,
    out_uri: str,
    *,
    shop: ShopConfig,
    funnel_config: FunnelConfig,
    config: SearchConfig,
    pipeline: beam.Pipeline,
) -> dict[str, int]:
    """Writes rows per split and cut-off, `fusion.json`, `meta.json`; rows per split.

    A shop whose people did not search gets the documented default weights and no rows.

    Args:
      pipeline: not yet entered.
    """
    for split in SPLITS:
        (Path(out_uri) / f"Split-{split}").mkdir(parents=True, exist_ok=True)
    parts = plan_parts(
        inputs.searches,
        SPLITS,
        features.CUTOFF,
        max_moments=config.max_pages,
        size=PART_MOMENTS,
        seed=config.seed,
    )
    newest = max(int(p.name.split("=")[1]) for p in Path(inputs.tables).glob("as_of=*"))
    task = PageTask(
        out_uri=out_uri,
        inputs=inputs,
        shop=shop,
        funnel=funnel_config,
        config=config,
        first_cutoff=parts[0].cutoff if parts else newest,
        training=tuple(part for part in parts if part.split == "train"),
    )
    if not parts:
        _write_nothing(task)
        return dict.fromkeys(SPLITS, 0)
    with pipeline:
        mining = MineParts(task, len(parts))
        _ = pipeline | "Parts" >> beam.Create(parts) | "MineParts" >> mining
    worker_memory.release()
    return count_rows(out_uri, SPLITS)


def _write_nothing(task: PageTask) -> None:
    """Default weights and a file without rows, where nobody searched."""
    miner = task.build()
    empty = read_split(task.inputs.searches, "train")
    path = Path(task.out_uri) / "Split-train" / "part-00000-00000.npz"
    miner.mine(empty, task.first_cutoff, "train").save(path)
    miner.learn_first_stage().save(task.out_uri)
    miner.describe(task.out_uri)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageTask(MiningTask):
    """Paths and settings; every worker must be able to read the paths."""

    step = STEP
    out_uri: str
    inputs: SearchInputs
    shop: ShopConfig
    funnel: FunnelConfig
    config: SearchConfig
    first_cutoff: int
    training: tuple[MomentPart, ...]  # of the first stage, oldest first

    def build(self) -> PageMiner:
        return PageMiner(self)


class PageMiner(Miner):
    """Mines search pages."""

    def __init__(self, task: PageTask) -> None:
        self._task = task
        inputs, cutoff = task.inputs, task.first_cutoff
        retriever = tf.saved_model.load(inputs.retriever) if inputs.retriever else None
        # Nobody asks the towers without a weight, so they need not be made ready.
        embeddings = None
        if retriever is not None and task.config.tower_weight:
            embeddings = retriever.item_embeddings.numpy()
        funnel = build_funnel(
            ItemTables.load(table_dir(inputs.tables, cutoff)),
            embeddings,
            task.funnel,
            FusionWeights.load(inputs.candidates),
        )
        self._search = build_search_funnel(
            inputs, cutoff, funnel, task.config, retriever=retriever
        )
        self._run = page_step(self._search)
        self._propensities = Propensities.load(table_dir(inputs.tables, cutoff))

    def learn_first_stage(self) -> FusionWeights:
        """Fits the fusion to the newest training pages, with tables of their time."""
        search, config = self._search, self._task.config
        batches, left = [], config.fusion_pages
        by_cutoff = itertools.groupby(self._task.training, lambda part: part.cutoff)
        for cutoff, parts in reversed([(c, list(p)) for c, p in by_cutoff]):
            if left <= 0:
                break
            self._move_to(cutoff)
            pages = self._encoded(pa.concat_tables([read_part(p) for p in parts]))
            batches += fusion_batches_of_pages(pages, search, self._propensities, left)
            left -= len(pages)
        return fit_fusion(
            batches,
            search.fusion.weights(),
            epochs=config.fusion_epochs,
            l2=config.fusion_l2,
            seed=config.seed,
        )

    def use_first_stage(self, weights: FusionWeights) -> None:
        self._search.fusion.assign(weights)

    def mine(self, moments: pa.Table, cutoff: int, split: str) -> RankerRows:
        self._move_to(cutoff)
        return mine_pages(
            self._encoded(moments),
            self._search,
            self._propensities,
            sample=split == "train",
            run=self._run,
        )

    def describe(self, folder: str) -> None:
        write_meta(
            folder,
            feature_names=self._search.feature_names,
            event_types=search_events(self._task.shop),
        )

    def _encoded(self, pages: pa.Table) -> EncodedPages:
        item_ids = self._search.funnel.tables.item_ids
        return encode_pages(pages, item_ids, self._task.shop)

    def _move_to(self, cutoff: int) -> None:
        """Swaps in the tables, clicks and propensities as of the cut-off."""
        if self._search.funnel.tables.as_of == cutoff:
            return
        folder = table_dir(self._task.inputs.tables, cutoff)
        self._search.funnel.swap_tables(ItemTables.load(folder))
        self._search.swap_clicks(QueryClicks.load(folder))
        self._propensities = Propensities.load(folder)
