"""Puts the trained parts together and writes the bundle, complete with warm-up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import tensorflow as tf

from components.bundle import lexicon, metadata, warmup
from components.mine_searches.mine_searches import SearchInputs, build_search_funnel
from core import features, signatures
from core.config import ShopConfig, SplitConfig
from core.config.bundle import BundleConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig
from core.disk import bytes_below
from core.lexicon import LEXICON_PATH
from core.progress import counted, megabytes, say
from trainer.data.examples import read_split
from trainer.export.bundle import Bundle
from trainer.export.loaded_part import LoadedPart
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import ItemTables
from trainer.text_encoder.export import EMBED_QUERIES

STEP = "Bundle"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BundleParts:
    """Where the parts of a bundle lie."""

    items: str  # URI of the items Examples
    events: str  # URI of the events Examples, for the lexicon
    tables: Path  # folder of one `tables.npz`, as of the end of the data
    retriever: Path  # SavedModel
    ranker: Path  # SavedModel
    candidates: Path  # folder with the first stage's weights
    search: SearchInputs | None = None  # None: a bundle without `search`
    search_candidates: Path = Path()  # folder with the search's first stage
    search_ranker: Path = Path()  # SavedModel


def build_bundle(
    parts: BundleParts,
    out_dir: Path,
    *,
    shop: ShopConfig,
    splits: SplitConfig,
    funnel_config: FunnelConfig,
    config: BundleConfig,
    search_config: SearchConfig | None = None,
) -> Path:
    """Writes the bundle into `out_dir` and returns it.

    `saved_model.pb` is what every consumer watches for, so the SavedModel is written
    last, over the warm-up requests, lexicon and metadata that already lie there.

    Args:
      parts: the trained parts.
      out_dir: the SavedModel's folder.
      shop: event types and context features.
      splits: their T2 is the end of the data that the tables saw.
      funnel_config: as the ranker's rows were mined with.
      config: diversity, `similar`, warm-up, lexicon.
      search_config: as the search's rows were mined with; None: its defaults.
    """
    items = read_split(parts.items, "train")
    bundle = assemble_bundle(
        parts,
        items,
        shop=shop,
        splits=splits,
        funnel_config=funnel_config,
        config=config,
        search_config=search_config,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    warmup.write_warmup(
        out_dir,
        items.column(features.ITEM_ID).to_pylist(),
        shop=shop,
        config=config,
        as_of=splits.test_start,
        queries=() if parts.search is None else first_titles(items),
    )
    words = lexicon.build_lexicon(
        items,
        lexicon.read_events(parts.events, config.lexicon),
        as_of=splits.test_start,
        config=config.lexicon,
    )
    words.save(out_dir / LEXICON_PATH)
    metadata.write_metadata(
        out_dir,
        metadata.bundle_metadata(
            shop=shop,
            splits=splits,
            num_items=items.num_rows,
            feature_names=list(bundle.funnel.feature_names),
        ),
    )
    bundle.save(out_dir)
    say(STEP, f"{counted(items.num_rows, 'item')}, {megabytes(bytes_below(out_dir))}")
    return out_dir


def assemble_bundle(
    parts: BundleParts,
    items: pa.Table,
    *,
    shop: ShopConfig,
    splits: SplitConfig,
    funnel_config: FunnelConfig,
    config: BundleConfig,
    search_config: SearchConfig | None = None,
    trim: Callable[[ItemTables], ItemTables] = lambda tables: tables,
) -> Bundle:
    """The bundle in memory; arguments as `build_bundle`.

    Args:
      trim: what to leave out of the tables.
    """
    tables = trim(ItemTables.load(parts.tables))
    retriever = tf.saved_model.load(str(parts.retriever))
    funnel = build_funnel(
        tables,
        retriever.item_embeddings.numpy(),
        funnel_config,
        FusionWeights.load(parts.candidates),
        static_shapes=config.static_shapes,
    )
    search = None
    if parts.search is not None:
        # The retriever carries the same encoder where its towers read text.
        encoder = getattr(retriever, "text_encoder", None)
        encoder = encoder or tf.saved_model.load(parts.search.text_encoder)
        search = build_search_funnel(
            parts.search,
            splits.test_start,
            funnel,
            search_config or SearchConfig(),
            FusionWeights.load(parts.search_candidates),
            encoder=LoadedPart(encoder, (EMBED_QUERIES,)),
            retriever=LoadedPart(retriever, ("embed_search",)),
        )
    return Bundle(
        items=items,
        funnel=funnel,
        retriever=LoadedPart(
            retriever, (signatures.EMBED_QUERY, signatures.EMBED_ITEM)
        ),
        ranker=_ranker(parts.ranker),
        shop=shop,
        config=config,
        as_of=splits.test_start,
        search=search,
        search_ranker=search and _ranker(parts.search_ranker),
    )


def _ranker(folder: Path) -> LoadedPart:
    return LoadedPart(tf.saved_model.load(str(folder)), ("score",))


def first_titles(items: pa.Table) -> list[str]:
    """Words to warm `search` up with, of the languages that the shop's titles have."""
    titles = items.column(features.TITLE).slice(0, 64).to_pylist()
    return [title for title in titles if title] or ["a"]
