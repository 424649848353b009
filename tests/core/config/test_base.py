import dataclasses

import pytest

from core import presets
from core.config import Config, ShopConfig, SplitConfig
from core.config.souk import SoukConfig
from core.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(Config):
    rate: float = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer(Config):
    inner: Inner
    sizes: tuple[int, ...] = ()
    limit: float | None = None


def test_nested_settings_survive_json() -> None:
    outer = Outer(inner=Inner(rate=0.25), sizes=(1, 2), limit=3.0)
    assert Outer.from_json(outer.to_json()) == outer
    assert Outer.from_dict({"inner": {}}).inner == Inner()


def test_integers_become_the_floats_they_stand_for() -> None:
    rate = Inner.from_dict({"rate": 1}).rate
    assert rate == 1.0 and isinstance(rate, float)


def test_whole_floats_become_the_integers_they_stand_for() -> None:
    split = SplitConfig.from_dict({"test_start": 1.7e9, "num_cutoffs": 3.0})
    assert (split.test_start, type(split.num_cutoffs)) == (1_700_000_000, int)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"test_start": "soon"}, "test_start` must be a whole number"),
        ({"test_start": 1.5}, "test_start` must be a whole number"),
        ({"test_start": True}, "test_start` must be a whole number"),
    ],
)
def test_values_of_another_type_are_named(values, said) -> None:
    with pytest.raises(ConfigError, match=said):
        SplitConfig.from_dict(values)


def test_unknown_settings_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no setting speed.*rate"):
        Inner.from_dict({"speed": 1})


def test_changes_reach_nested_settings_and_leave_the_others() -> None:
    outer = Outer(inner=Inner(rate=0.25), sizes=(1, 2), limit=3.0)
    changed = outer.updated({"sizes": [4], "inner": {"rate": 1}})
    assert changed == Outer(inner=Inner(rate=1.0), sizes=(4,), limit=3.0)
    assert outer.updated({"limit": None}).limit is None
    with pytest.raises(ConfigError, match="no setting speed"):
        outer.updated({"inner": {"speed": 1}})
    with pytest.raises(ConfigError, match="sizes` must be a list"):
        outer.updated({"sizes": None})


def test_equal_settings_give_equal_json() -> None:
    assert Outer(inner=Inner()).to_json() == Outer(inner=Inner(rate=0.5)).to_json()


def test_shop_weights_must_fit_the_event_types() -> None:
    with pytest.raises(ConfigError, match=r"event_weights.*Received: \(1\.0,\)"):
        ShopConfig(name="x", event_types=("view", "purchase"), event_weights=(1.0,))


@pytest.mark.parametrize("types", [("purchase", "view"), ("view", "view"), ("buy",)])
def test_a_shop_s_event_types_stand_once_and_weakest_first(types: tuple) -> None:
    weights = (1.0,) * len(types)
    with pytest.raises(ConfigError, match=r"event_types.*view, click, cart, purchase"):
        ShopConfig(
            name="x", event_types=types, event_weights=weights, target_event=types[0]
        )


@pytest.mark.parametrize("preset", [presets.tiny, presets.local, presets.online_retail])
def test_presets_are_complete_and_survive_json(preset) -> None:
    shop = ShopConfig(
        name="x",
        event_types=("view", "purchase"),
        event_weights=(0.1, 1.0),
        context_features=("country",),
    )
    config = preset(shop, SplitConfig(test_start=1_700_000_000))
    assert SoukConfig.from_json(config.to_json()) == config
