"""Completions in the gift shop of worlds.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.suggest import SuggestConfig
from core.errors import InvalidRequestError
from core.text.units import completion_key, prefix_key
from serving.suggest import Suggester
from tests.serving.suggest.worlds import gift_shop

SHOP = Suggester(gift_shop())


def texts(*arguments: object, **options: object) -> list[str]:
    return [each.text for each in SHOP.suggest(*arguments, **options)]  # type: ignore[arg-type]


def test_the_score_orders_completions() -> None:
    # Shares of log1p popularity within the kind, times its weight:
    # query: mug 1.0, mug red ln 10 / ln 100 = 0.5, mud boots ln 5 / ln 100 = 0.35;
    # category: Mugs 0.8; brand: Mulberry 0.7; title: MUG T-LIGHT 0.5, after the equal
    # query by place.
    found = SHOP.suggest("mu", k=6)

    assert [(each.text, each.kind) for each in found[:3]] == [
        ("mug", "query"),
        ("Mugs", "category"),
        ("Mulberry", "brand"),
    ]
    assert {each.text for each in found[3:5]} == {"mug red", "MUG T-LIGHT 10cm"}
    assert found[5].text == "mud boots"
    assert [each.score for each in found] == pytest.approx(
        [1.0, 0.8, 0.7, 0.5, 0.5, 0.3495], abs=1e-4
    )


def test_own_queries_come_first_newest_first() -> None:
    own = ["mug blue", "garden", "Mud Boots", "mug  blue"]

    assert texts("mu", history_queries=own, k=3) == ["mug  blue", "Mud Boots", "mug"]


def test_nothing_typed_gives_own_then_popular() -> None:
    assert texts("", history_queries=["garden"], k=3) == ["garden", "mug", "Mugs"]


def test_liked_categories_gain() -> None:
    # mud boots 0.35 + 0.2 passes mug red 0.5.
    found = texts("mu", categories=["Garden"], k=6)

    assert found.index("mud boots") < found.index("mug red")


def test_punctuation_case_and_units_do_not_matter() -> None:
    assert texts("Mug t l") == ["MUG T-LIGHT 10cm", "Mug t light"]
    assert texts("mug t-light 10 c") == ["MUG T-LIGHT 10cm"]
    assert texts("MÜG R") == ["mug red"]


def test_a_space_ends_the_word() -> None:
    assert texts("mug ") == ["mug red", "MUG T-LIGHT 10cm"]


def test_chinese_completes_by_character_with_or_without_spaces() -> None:
    assert texts("不") == ["不锈钢 保温杯 500毫升", "不锈钢 炊具"]
    assert texts("不锈钢保") == ["不锈钢 保温杯 500毫升"]
    assert texts("保") == ["保温杯"]
    # Typed in traditional characters, shown as the shop writes them.
    assert texts("不鏽鋼保") == ["不锈钢 保温杯 500毫升"]


def test_the_last_word_is_completed_by_what_stood_behind_the_one_before() -> None:
    assert texts("big blue french e") == ["big blue french enamel"]
    assert texts("big enamel ") == ["big enamel jug", "big enamel mug"]
    assert texts("garden e") == []  # nothing that is both


def test_a_misspelt_beginning_is_corrected_and_marked() -> None:
    for typed in ("frnech en", "frnec", "frehcn e"):
        found = SHOP.suggest(typed)
        assert found[0].text == "french enamel jug", typed
        assert all(each.corrected for each in found)
    assert texts("tlig") == ["t light"]


def test_gibberish_has_no_completion() -> None:
    assert texts("zzzzqq") == []
    assert texts("🎉 \x00") == []


def test_k_is_checked() -> None:
    limit = SuggestConfig().max_completions
    for k in (0, limit + 1):
        with pytest.raises(InvalidRequestError, match=f"1 and {limit}.*{k}"):
            SHOP.suggest("mug", k=k)


KNOWN = [each.query for each in gift_shop().queries] + [
    each.text for each in gift_shop().phrases
]
typed = st.one_of(
    st.text(max_size=12),
    st.builds(lambda text, end: text[:end], st.sampled_from(KNOWN), st.integers(0, 20)),
    st.text(alphabet="mugfrench enaml保温不锈T- 1", max_size=12),
)


@given(prefix=typed, own=st.lists(typed, max_size=3), k=st.integers(1, 10))
def test_completions_start_with_what_was_typed(
    prefix: str, own: list[str], k: int
) -> None:
    found = SHOP.suggest(prefix, history_queries=own, k=k)

    keys = [completion_key(each.text) for each in found]
    assert len(set(keys)) == len(keys) <= k
    for key, each in zip(keys, found, strict=True):
        assert key.startswith(prefix_key(prefix)) or each.corrected
