"""Ranker rows of every search page and the first stage's weights; free of TFX."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.item_neighbours.build_tables import table_dir
from core import features
from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig
from core.progress import advance
from trainer.data.examples import read_split
from trainer.funnel.fit_fusion import fit_fusion
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.mine import META_FILE
from trainer.funnel.tables import ItemTables
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex
from trainer.search.mine_pages import (
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
    lexical = LexicalIndex(
        build_inverted_index(items, config.lexical, analyzer), config.lexical, analyzer
    )
    folder = table_dir(inputs.tables, cutoff)
    return SearchFunnel(
        funnel,
        lexical,
        encoder or _encoder(inputs, retriever),
        np.load(Path(inputs.item_vectors) / "item_vectors.npy"),
        QueryClickIndex(QueryClicks.load(folder), analyzer),
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
) -> dict[str, int]:
    """Writes rows per split and cut-off, `fusion.json`, `meta.json`; rows per split.

    A shop whose people did not search gets the documented default weights and no rows.
    """
    pages = {name: read_split(inputs.searches, name) for name in SPLITS}
    newest = max(int(p.name.split("=")[1]) for p in Path(inputs.tables).glob("as_of=*"))
    parts = _by_cutoff(pages)
    first = parts[0][0] if parts else newest
    retriever = tf.saved_model.load(inputs.retriever) if inputs.retriever else None
    funnel = CandidateFunnel(
        ItemTables.load(table_dir(inputs.tables, first)),
        None if retriever is None else retriever.item_embeddings.numpy(),
        funnel_config,
        FusionWeights.load(inputs.candidates),
    )
    search = build_search_funnel(inputs, first, funnel, config, retriever=retriever)
    # Learned on the newest training pages; the loop below visits them again.
    counts = dict.fromkeys(SPLITS, 0)
    for split in SPLITS:
        (Path(out_uri) / f"Split-{split}").mkdir(parents=True, exist_ok=True)
    _learn_first_stage(search, pages["train"], inputs, shop)
    search.fusion.weights().save(out_uri)
    run = page_step(search)
    for number, (cutoff, split, table) in enumerate(parts):
        propensities = _move_to(search, inputs, cutoff)
        encoded = encode_pages(table, search.funnel.tables.item_ids, shop)
        found = mine_pages(
            encoded, search, propensities, sample=split == "train", run=run
        )
        found.save(Path(out_uri) / f"Split-{split}" / f"part-{number:05d}.npz")
        counts[split] += len(found.rows)
        note = f"{sum(counts.values()):,} rows of {number + 1} cut-offs"
        advance(STEP, number + 1, len(parts), note)
    if not parts:
        encoded = encode_pages(pages["train"], search.funnel.tables.item_ids, shop)
        empty = mine_pages(encoded, search, Propensities.flat(), sample=True, run=run)
        empty.save(Path(out_uri) / "Split-train" / "part-00000.npz")
    meta = {
        "feature_names": list(search.feature_names),
        "event_types": list(search_events(shop) or (shop.target_event,)),
        "num_items": search.num_items,
    }
    (Path(out_uri) / META_FILE).write_text(json.dumps(meta, indent=1))
    return counts


def _by_cutoff(pages: dict[str, pa.Table]) -> list[tuple[int, str, pa.Table]]:
    """Pages that may be used with the same tables, oldest first."""
    parts = []
    for split, table in pages.items():
        cutoffs = table.column(features.CUTOFF).to_numpy()
        for cutoff in np.unique(cutoffs):
            chosen = table.take(pa.array(np.flatnonzero(cutoffs == cutoff)))
            parts.append((int(cutoff), split, chosen))
    return sorted(parts, key=lambda part: part[:2])


def _move_to(search: SearchFunnel, inputs: SearchInputs, cutoff: int) -> Propensities:
    """Swaps in the tables and clicks as of the cut-off; its propensities."""
    folder = table_dir(inputs.tables, cutoff)
    search.funnel.swap_tables(ItemTables.load(folder))
    search.clicks.swap(QueryClicks.load(folder))
    return Propensities.load(folder)


def _learn_first_stage(
    search: SearchFunnel, train: pa.Table, inputs: SearchInputs, shop: ShopConfig
) -> None:
    """Fits the fusion to the newest training pages, with the tables of their time."""
    if not train.num_rows:
        return
    newest = train.column(features.CUTOFF).to_numpy()
    batches, left = [], search.config.fusion_pages
    for cutoff in sorted(np.unique(newest), reverse=True):
        if left <= 0:
            break
        propensities = _move_to(search, inputs, int(cutoff))
        chosen = train.take(pa.array(np.flatnonzero(newest == cutoff)))
        pages = encode_pages(chosen, search.funnel.tables.item_ids, shop)
        batches += fusion_batches_of_pages(pages, search, propensities, left)
        left -= len(pages)
    config = search.config
    fitted = fit_fusion(
        batches,
        search.fusion.weights(),
        epochs=config.fusion_epochs,
        l2=config.fusion_l2,
        seed=config.seed,
    )
    search.fusion.assign(fitted)
