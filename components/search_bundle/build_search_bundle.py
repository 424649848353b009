"""Puts search together for a shop without events; free of TFX."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from components.bundle import lexicon, metadata, warmup
from components.bundle.build_bundle import first_titles
from components.item_neighbours.build_tables import table_dir
from components.mine_searches.mine_searches import SearchInputs, build_search_funnel
from core import features
from core.config.souk import SoukConfig
from core.disk import bytes_below
from core.lexicon import LEXICON_PATH
from core.progress import counted, megabytes, say
from trainer.data.examples import read_split
from trainer.export.prior_ranker import PriorRanker
from trainer.export.search_bundle import SearchBundle
from trainer.export.text_retriever import TextRetriever
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import ItemTables
from trainer.search.search_funnel import SIGNALS

STEP = "SearchBundle"


def build_search_bundle(
    inputs: SearchInputs, events_uri: str, out_dir: Path, config: SoukConfig
) -> Path:
    """Writes the bundle into `out_dir` and returns it; `saved_model.pb` last.

    The first stage has the settings' weights and pages keep its order: there is no
    click to learn another one from.

    Args:
      inputs: where items, tables, encoder and vectors lie.
      events_uri: Examples without rows, which the lexicon reads as every shop's.
      out_dir: the SavedModel's folder.
      config: all settings; tables are those as of T2.
    """
    items = read_split(inputs.items, "train")
    as_of = config.splits.test_start
    vectors = np.load(Path(inputs.item_vectors) / "item_vectors.npy")
    # `similar` takes the texts' vectors for the tower's.
    funnel = build_funnel(
        ItemTables.load(table_dir(inputs.tables, as_of)),
        vectors,
        config.funnel,
        static_shapes=config.bundle.static_shapes,
    )
    weights = FusionWeights(
        names=SIGNALS, linear=config.search.plain_linear, root=config.search.plain_root
    )
    search = build_search_funnel(inputs, as_of, funnel, config.search, weights)
    bundle = SearchBundle(
        items=items,
        search=search,
        search_ranker=PriorRanker(search.feature_names),
        retriever=TextRetriever(search.encoder),
        shop=config.shop,
        config=config.bundle,
        as_of=as_of,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    _write_extras(inputs, events_uri, out_dir, config, search.feature_names)
    bundle.save(out_dir)
    say(STEP, f"{counted(items.num_rows, 'item')}, {megabytes(bytes_below(out_dir))}")
    return out_dir


def _write_extras(
    inputs: SearchInputs,
    events_uri: str,
    out_dir: Path,
    config: SoukConfig,
    feature_names: tuple[str, ...],
) -> None:
    """Warm-up requests, lexicon and metadata, as they lie in every bundle."""
    items = read_split(inputs.items, "train")
    as_of = config.splits.test_start
    found = warmup.search_warmup_requests(
        items.column(features.ITEM_ID).to_pylist(),
        config.shop,
        config.bundle,
        as_of,
        first_titles(items),
    )
    warmup.write_requests(out_dir, found)
    words = lexicon.build_lexicon(
        items,
        lexicon.read_events(events_uri, config.bundle.lexicon),
        as_of=as_of,
        config=config.bundle.lexicon,
    )
    words.save(out_dir / LEXICON_PATH)
    facts = metadata.bundle_metadata(
        shop=config.shop,
        splits=config.splits,
        num_items=items.num_rows,
        feature_names=list(feature_names),
    )
    metadata.write_metadata(out_dir, facts)
