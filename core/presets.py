"""Whole settings by shop: what `souk run SHOP` uses when nothing else is said."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.config.bundle import BundleConfig
from core.config.choices import RunChoices
from core.config.clean import CleanConfig
from core.config.compress import CompressConfig
from core.config.evaluation import EvaluationConfig
from core.config.funnel import FunnelConfig
from core.config.gates import GatesConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from core.config.ranker import RankerConfig
from core.config.retriever import RetrieverConfig
from core.config.search import SearchConfig
from core.config.search_evaluation import SearchEvaluationConfig
from core.config.shop import ShopConfig
from core.config.souk import SoukConfig
from core.config.splits import SplitConfig
from core.config.text_encoder import FROZEN, LORA, TextEncoderConfig
from core.config.transform import TransformConfig
from core.config.unread import require_read
from core.config.validation import ValidationConfig
from core.errors import ConfigError

# What tells where the shop's own search has put an item, rather than how well it fits:
# a ranker that sees it learns to repeat the logged pages. On the simulated shop's
# validation searches, NDCG@10 of true clicks is .675 with all features, .704 without
# these and .713 with a lower learning rate; the first stage has .644 (docs/search.md).
EXPOSURE_FEATURES = (
    *("item_buyers_*", "item_trend_*", "item_first_*", "item_acceleration"),
    *("item_*_30d", "item_*_ever", "item_*_against", "item_last_age"),
    *("item_again_rate", "item_anew_rate", "item_title_*"),
    *("item_in_category_*", "category_people_*"),
    *("cf_*", "lately_*", "forecast_*", "factors_*", "knn_*", "basket_*"),
    *("interest_*", "query_click*", "query_person_share", "query_fused"),
)


# What a file of settings may change.
PARTS = tuple(
    field.name
    for field in dataclasses.fields(SoukConfig)
    if field.name not in ("shop", "splits", "joint_ranker")
)


# The text encoder was tuned on the clicks of the pages that the ranker learns from: its
# cosine knows the answers there, and later does not. Without it validation pages of two
# runs of the demo have .7460 and .7493 in place of .7441 and .7467 (three seeds each).
TUNED_ON_FEATURES = ("query_dense_share",)


def for_shop(shop: ShopConfig, splits: SplitConfig) -> SoukConfig:
    """The settings of a shop: its own preset where there is one, else `local`."""
    preset = {"tiny": tiny, "online-retail": online_retail}.get(shop.name, local)
    full = preset(shop, splits)
    return full if shop.has_events else without_events(full)


def without_events(full: SoukConfig) -> SoukConfig:
    """The settings of a shop without a log: no room for what only events fill.

    Its tables of neighbours and factors hold nothing, so they are one column wide, and
    no n x n system is solved. The metric gates compare search with BM25 alone.
    """
    neighbours = full.neighbours.replace(
        num_neighbours=1, num_factors=1, ease_max_items=0
    )
    return full.replace(
        neighbours=neighbours,
        # Nobody's events: no towers to ask, and weights that have to fit every query.
        funnel=full.funnel.replace(tower_weight=0.0),
        # No clicks have taught it to look past the words, so nothing is put right.
        search=full.search.replace(
            tower_weight=0.0,
            also_relative=("dense",),
            feedback_items=3,
            named_items=0,
        ),
        gates=full.gates.replace(must_beat=(), min_coverage=0.0),
    )


def with_choices(full: SoukConfig, choices: RunChoices) -> SoukConfig:
    """The settings with what the command line chose.

    Raises:
      ConfigError: a chosen setting is unknown or out of its range.
    """
    if choices.text_encoder_preset:
        full = with_text_encoder(full, choices.text_encoder_preset)
    layers = choices.text_encoder_layers  # without a preset an error
    full = full.replace(text_encoder=full.text_encoder.replace(kept_layers=layers))
    compress = choices.compress_settings or full.compress
    enabled = choices.compress or choices.compress_settings is not None
    full = full.replace(
        joint_ranker=choices.joint_ranker,
        compress=compress.replace(enabled=enabled),
        bundle=full.bundle.replace(static_shapes=choices.static_shapes),
    )
    return with_settings(full, choices.settings)


def with_settings(full: SoukConfig, settings: dict[str, dict[str, Any]]) -> SoukConfig:
    """The settings with those of some parts changed.

    Args:
      full: all settings.
      settings: part -> its changes. What a shop is, and when its periods begin, comes
        with its tables. A text encoder's `preset` or `mode` brings its own settings,
        as on the command line, under what is named beside it.

    Raises:
      ConfigError: a part or a setting is unknown, a value is out of its range, or no
        step reads what differs.
    """
    unknown = sorted(set(settings) - set(PARTS))
    if unknown:
        raise ConfigError(
            f"Settings must be of {', '.join(PARTS)}. Received: {', '.join(unknown)}."
        )
    based = _with_encoder_of(full, settings.get("text_encoder", {}))
    changed = {
        part: getattr(based, part).updated(changes)
        for part, changes in settings.items()
    }
    found = based.replace(**changed)
    require_read(full, found)
    return found


def with_text_encoder(full: SoukConfig, preset: str, mode: str = "") -> SoukConfig:
    """The settings with a pretrained text encoder in place of one made from scratch.

    Fine-tuning takes pairs of texts that people's events make. A shop without events
    has none, so there the preset stays as it is (`frozen`); elsewhere `lora`.

    Args:
      full: all settings.
      preset: folder of a keras preset or of a Hugging Face BERT.
      mode: what fine-tuning changes; "": as said.
    """
    mode = mode or (LORA if full.shop.has_events else FROZEN)
    encoder = TextEncoderConfig.pretrained(preset, mode)
    layers = full.text_encoder.kept_layers
    return full.replace(text_encoder=encoder.replace(kept_layers=layers))


def _with_encoder_of(full: SoukConfig, changes: dict[str, Any]) -> SoukConfig:
    """The settings with the pretrained encoder that changes of `text_encoder` name."""
    preset = changes.get("preset", full.text_encoder.preset)
    if not preset or not changes.keys() & {"preset", "mode"}:
        return full
    return with_text_encoder(full, preset, changes.get("mode", ""))


def local(shop: ShopConfig, splits: SplitConfig) -> SoukConfig:
    """One machine, minutes: defaults, scaled to the shop's horizon and event types."""
    horizon = float(splits.horizon_days)
    return SoukConfig(
        shop=shop,
        splits=splits,
        clean=CleanConfig(),
        validation=ValidationConfig(),
        moments=MomentConfig(),
        transform=TransformConfig.for_shop(shop),
        neighbours=NeighboursConfig(forecast_days=horizon),
        retriever=RetrieverConfig.for_shop(shop),
        funnel=FunnelConfig(decay_days=(horizon, 3 * horizon)),
        ranker=RankerConfig(
            target_event=shop.target_event,
            event_weights=shop.event_weights,
            fit_cutoffs=splits.fit_cutoffs,
        ),
        text_encoder=TextEncoderConfig.local(),
        search=SearchConfig(),
        # All cut-offs: a page's features are as of a cut-off before it, so that old
        # pages are as good as new ones. The second listwise loss compares what was
        # shown; the first, over unshown candidates too, teaches what is off the mark.
        # Carts and purchases count in a row's gain already: a loss of their own adds
        # nothing (validation, three seeds).
        search_ranker=RankerConfig(
            fit_cutoffs=splits.num_cutoffs + 1,
            rows_per_moment=32,
            hidden_units=(128, 64),
            listwise_loss="weighted",
            listwise_weight=0.5,
            new_weight=1.0,
            other_events_weight=0.0,
            learning_rate=3e-4,
            top_k=10,
            choice_new=1.0,
            ignored_features=(*EXPOSURE_FEATURES, *TUNED_ON_FEATURES),
        ),
        # The smallest that holds the quality on the demo's validation, of what `make
        # bench-compress-sweep` measures (docs/compression.md).
        compress=CompressConfig(num_neighbours=360, num_candidates=96),
        bundle=BundleConfig(),
        evaluation=EvaluationConfig(),
        search_evaluation=SearchEvaluationConfig(max_history=splits.max_history),
        gates=GatesConfig(),
    )


def online_retail(shop: ShopConfig, splits: SplitConfig) -> SoukConfig:
    """UCI Online Retail, where the comparison is over items seen in training."""
    full = local(shop, splits)
    # A wholesale shop: long baskets, so new items need the longer list (validation,
    # docs/funnel.md: they lose with 128, and gain nothing from 320).
    funnel = full.funnel.replace(cold_items=False, num_candidates=192)
    # A small catalogue, dense in neighbours: most of its bundle are their lists.
    # Twice the default epochs, of two seconds each: with fewer the pruned ranker lost
    # .5 % of NDCG on new items of the eval moments, with these .3 %.
    compress = full.compress.replace(
        num_neighbours=420, num_candidates=0, pruning_epochs=6, quantization_epochs=2
    )
    return full.replace(funnel=funnel, compress=compress)


def tiny(shop: ShopConfig, splits: SplitConfig) -> SoukConfig:
    """Tests: every step at a size that takes seconds; quality is beside the point."""
    full = local(shop, splits)
    return full.replace(
        neighbours=full.neighbours.replace(num_neighbours=30, title_dim=16),
        compress=CompressConfig(),
        retriever=full.retriever.replace(
            embedding_dim=16, hidden_dim=32, content_dim=8, max_epochs=2, batch_size=128
        ),
        funnel=full.funnel.replace(num_candidates=120),
        ranker=full.ranker.replace(hidden_units=(32, 16), epochs=2),
        bundle=full.bundle.replace(warmup_batch_sizes=(1,), warmup_history=8),
        evaluation=full.evaluation.replace(bootstrap_samples=50),
        text_encoder=TextEncoderConfig.tiny(),
        search_ranker=full.search_ranker.replace(hidden_units=(32, 16), epochs=2),
        search_evaluation=full.search_evaluation.replace(bootstrap_samples=50),
    )
