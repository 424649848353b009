"""Which settings a shop gets, by what it has."""

from __future__ import annotations

import re

import pytest
import yaml

from core import presets
from core.config import ShopConfig, SplitConfig
from core.config.choices import RunChoices
from core.config.compress import CompressConfig
from core.errors import ConfigError

SPLITS = SplitConfig(test_start=1_700_000_000)
TWO_EVENTS = ShopConfig(
    name="a",
    event_types=("view", "purchase"),
    event_weights=(0.02, 1.0),
    context_features=("country",),
)


@pytest.mark.parametrize("name", ["chorus", "tiny"])
def test_a_shop_without_events_has_no_gates_or_tables_of_events(name: str) -> None:
    silent = presets.for_shop(ShopConfig(name=name, has_events=False), SPLITS)
    full = presets.for_shop(ShopConfig(name=name), SPLITS)
    assert full.gates.must_beat and not silent.gates.must_beat
    assert silent.gates.search_must_hold == ("bm25",)
    assert silent.neighbours.num_neighbours == 1
    assert silent.text_encoder == full.text_encoder
    # No towers, no clicks to put right; the cosine is a share of the query's best.
    wanted = full.search.replace(
        also_relative=("dense",), feedback_items=3, named_items=0
    )
    assert wanted == silent.search
    assert silent.search.tower_weight == 0.0


def test_a_preset_is_adapted_where_events_make_pairs_and_left_alone_elsewhere() -> None:
    silent = presets.for_shop(ShopConfig(name="a", has_events=False), SPLITS)
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    encoder = presets.with_text_encoder(silent, "folder").text_encoder
    assert (encoder.preset, encoder.train_mode) == ("folder", "frozen")
    encoder = presets.with_text_encoder(full, "folder").text_encoder
    assert (encoder.preset, encoder.train_mode) == ("folder", "lora")


@pytest.mark.parametrize("has_events", [True, False])
def test_a_preset_named_in_a_file_is_the_one_of_the_command_line(
    has_events: bool,
) -> None:
    full = presets.for_shop(ShopConfig(name="a", has_events=has_events), SPLITS)
    option = presets.with_choices(full, RunChoices(text_encoder_preset="folder"))
    file = {"text_encoder": {"preset": "folder"}}
    assert presets.with_settings(full, file) == option
    # By hand: texts of a preset are longer, adapters learn at half a new one's rate.
    encoder = option.text_encoder
    assert (encoder.max_query_tokens, encoder.max_item_tokens) == (32, 64)
    assert encoder.learning_rate == (5e-4 if has_events else 2e-5)
    own = {"text_encoder": {"preset": "folder", "max_item_tokens": 24}}
    found = presets.with_settings(full, own).text_encoder
    assert found == encoder.replace(max_item_tokens=24)
    # All settings as they are printed are taken as they are.
    printed = {"text_encoder": found.to_dict()}
    assert presets.with_settings(full, printed).text_encoder == found


def test_a_mode_brings_its_rate_wherever_the_preset_is_named() -> None:
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    file = {"text_encoder": {"preset": "folder", "mode": "full", "kept_layers": 3}}
    found = presets.with_settings(full, file).text_encoder
    assert (found.mode, found.kept_layers, found.learning_rate) == ("full", 3, 2e-5)
    chosen = RunChoices(
        text_encoder_preset="folder",
        text_encoder_layers=3,
        settings={"text_encoder": {"mode": "full"}},
    )
    assert presets.with_choices(full, chosen).text_encoder == found
    file["text_encoder"]["mode"] = "scratch"
    with pytest.raises(ConfigError, match="mode"):
        presets.with_settings(full, file)
    with pytest.raises(ConfigError, match="preset"):
        presets.with_settings(full, {"text_encoder": {"preset": 5}})


def test_layers_are_kept_of_a_preset_and_of_nothing_else() -> None:
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    chosen = RunChoices(text_encoder_preset="folder", text_encoder_layers=3)
    encoder = presets.with_choices(full, chosen).text_encoder
    assert (encoder.preset, encoder.kept_layers) == ("folder", 3)
    with pytest.raises(ConfigError, match="kept_layers"):
        presets.with_choices(full, RunChoices(text_encoder_layers=3))


def test_static_shapes_are_chosen_for_the_bundle() -> None:
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    chosen = presets.with_choices(full, RunChoices(static_shapes=True))
    assert (full.bundle.static_shapes, chosen.bundle.static_shapes) == (False, True)


def test_settings_of_compression_replace_the_shops_own_and_switch_it_on() -> None:
    full = presets.for_shop(ShopConfig(name="demo"), SPLITS)
    assert not full.compress.enabled
    wanted = CompressConfig(num_neighbours=360, kept_neurons=0.5)
    choices = RunChoices(compress_settings=wanted)
    chosen = presets.with_choices(full, RunChoices.from_json(choices.to_json()))
    assert chosen.compress == wanted.replace(enabled=True)
    own = presets.with_choices(full, RunChoices(compress=True)).compress
    assert own == full.compress.replace(enabled=True)


def test_the_decision_survives_json() -> None:
    config = presets.for_shop(ShopConfig(name="a", has_events=False), SPLITS)
    assert not type(config).from_json(config.to_json()).shop.has_events


def test_settings_of_a_file_are_applied_last_and_to_what_they_name_alone() -> None:
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    settings = {
        "ranker": {"epochs": 2, "hidden_units": [64]},
        "neighbours": {"query_clicks": {"max_positions": 5}},
        "compress": {"enabled": False},
    }
    chosen = RunChoices(compress=True, settings=settings)
    assert RunChoices.from_json(chosen.to_json()) == chosen
    found = presets.with_choices(full, chosen)
    clicks = full.neighbours.query_clicks.replace(max_positions=5)
    assert found == full.replace(
        ranker=full.ranker.replace(epochs=2, hidden_units=(64,)),
        neighbours=full.neighbours.replace(query_clicks=clicks),
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"splits": {"horizon_days": 7}}, "Settings must be of"),
        ({"ranker": {"epochs": 0}}, "RankerConfig.epochs"),
        ({"ranker": {"epochs": None}}, "RankerConfig.epochs"),
        ({"ranker": {"epoch": 3}}, "no setting epoch"),
        ({"neighbours": {"popularity_days": [7, 30]}}, r"popular_days.*\[14, 60\]"),
    ],
)
def test_settings_that_break_a_rule_are_named(settings: dict, said: str) -> None:
    full = presets.for_shop(ShopConfig(name="a"), SPLITS)
    with pytest.raises(ConfigError, match=said):
        presets.with_settings(full, settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("ranker: {target_event: cart}", "must be of view, purchase. Received: cart"),
        ("ranker: {event_weights: [1, 2, 3]}", "`ranker.event_weights` must hold one"),
        ("retriever: {event_weights: [1]}", "RetrieverConfig.event_weights"),
        (
            "retriever: {event_weights: [1, 2, 3], event_types: [view, click, cart]}",
            "`retriever.event_types` must be the shop's, ['view', 'purchase']",
        ),
        ("retriever: {context_features: [foo]}", "must be of country. Received: foo"),
        ("transform: {context_features: [foo]}", "must be of country. Received: foo"),
        ("transform: {context_features: []}", "must be of nothing, there is none"),
        ("transform: {event_types: [cart]}", "`transform.event_types` must be the"),
        (
            "gates: {must_beat: [als]}",
            "must be of popularity, user_frequency, item_knn",
        ),
        ("gates: {search_must_hold: [x]}", "must be of bm25. Received: x."),
    ],
)
def test_settings_that_do_not_fit_the_shop_are_refused_at_once(
    settings: str, said: str
) -> None:
    full = presets.for_shop(TWO_EVENTS, SPLITS)
    with pytest.raises(ConfigError, match=re.escape(said)):
        presets.with_settings(full, yaml.safe_load(settings))


def test_settings_that_fit_the_shop_are_taken() -> None:
    settings = {
        "ranker": {"target_event": "view", "event_weights": [1, 2]},
        "retriever": {"event_weights": [0.5, 1], "context_features": []},
        "transform": {"context_features": []},
        "gates": {"must_beat": ["item_knn"], "search_must_hold": []},
    }
    found = presets.with_settings(presets.for_shop(TWO_EVENTS, SPLITS), settings)
    assert found.ranker.event_weights == (1.0, 2.0)
    assert found.gates.must_beat == ("item_knn",)


@pytest.mark.parametrize(
    ("jointly", "settings", "name"),
    [
        (
            False,
            "search_ranker: {event_weights: [1, 2]}",
            "search_ranker.event_weights",
        ),
        (False, "search_ranker: {target_event: view}", "search_ranker.target_event"),
        (True, "search_ranker: {target_event: view}", "search_ranker.target_event"),
        (True, "search_ranker: {epochs: 9}", "search_ranker.epochs"),
        (True, "ranker: {listwise_loss: lambda}", "ranker.listwise_loss"),
        (True, "ranker: {other_events_weight: 2}", "ranker.other_events_weight"),
        (
            True,
            "search_ranker: {listwise_loss: none, score_head: weighted}",
            "search_ranker.listwise_loss",
        ),
    ],
)
def test_a_change_of_what_no_step_reads_is_refused(
    jointly: bool, settings: str, name: str
) -> None:
    full = presets.for_shop(TWO_EVENTS, SPLITS)
    chosen = RunChoices(joint_ranker=jointly, settings=yaml.safe_load(settings))
    with pytest.raises(ConfigError, match=f"`{name}` must be left out: no step reads"):
        presets.with_choices(full, chosen)


@pytest.mark.parametrize("jointly", [False, True])
def test_all_settings_as_they_are_printed_are_taken(jointly: bool) -> None:
    full = presets.for_shop(TWO_EVENTS, SPLITS)
    printed = full.to_dict()
    settings = {part: printed[part] for part in presets.PARTS}
    found = presets.with_choices(
        full, RunChoices(joint_ranker=jointly, settings=settings)
    )
    assert found == full.replace(joint_ranker=jointly)
    # What one ranker of both takes of the search ranker.
    some = {"search_ranker": {"new_weight": 0.5, "top_k": 5, "ignored_features": []}}
    chosen = RunChoices(joint_ranker=jointly, settings=some)
    assert presets.with_choices(full, chosen).search_ranker.top_k == 5
