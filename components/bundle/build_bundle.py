"""Puts the trained parts together and writes the bundle, complete with warm-up."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tensorflow as tf

from components.bundle import lexicon, metadata, warmup
from core import features
from core.config import ShopConfig, SplitConfig
from core.config.bundle import BundleConfig
from core.config.funnel import FunnelConfig
from core.lexicon import LEXICON_PATH
from core.progress import say
from trainer.data.examples import read_split
from trainer.export.bundle import Bundle
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.tables import ItemTables

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


def build_bundle(
    parts: BundleParts,
    out_dir: Path,
    *,
    shop: ShopConfig,
    splits: SplitConfig,
    funnel_config: FunnelConfig,
    config: BundleConfig,
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
    """
    items = read_split(parts.items, "train")
    tables = ItemTables.load(parts.tables)
    retriever = tf.saved_model.load(str(parts.retriever))
    funnel = CandidateFunnel(
        tables,
        retriever.item_embeddings.numpy(),
        funnel_config,
        FusionWeights.load(parts.candidates),
    )
    bundle = Bundle(
        items=items,
        funnel=funnel,
        retriever=retriever,
        ranker=tf.saved_model.load(str(parts.ranker)),
        shop=shop,
        config=config,
        as_of=splits.test_start,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    warmup.write_warmup(
        out_dir,
        items.column(features.ITEM_ID).to_pylist(),
        shop=shop,
        config=config,
        as_of=splits.test_start,
    )
    words = lexicon.build_lexicon(
        items,
        lexicon.read_events(parts.events),
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
            feature_names=list(funnel.feature_names),
        ),
    )
    bundle.save(out_dir)
    size = sum(f.stat().st_size for f in out_dir.rglob("*") if f.is_file())
    say(STEP, f"{items.num_rows:,} items, {size / 2**20:.1f} MiB")
    return out_dir
