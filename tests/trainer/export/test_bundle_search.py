"""The `search` signature on the constructed shop, saved and loaded again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.export.conftest import (
    GIFT,
    GIFTS,
    NUM_ITEMS,
    make_bundle,
    page,
    person,
)

pytestmark = pytest.mark.slow

MIXED = ["mug", "", "cup", "茶壶", GIFT, "jug number 5", "the", "qwxyz", "🎉", "chiar"]


def ask(
    model: Any, queries: list[str], history: tuple[str, ...] = (), **changes: object
) -> dict[str, list[list[Any]]]:
    """Outputs of one person's searches, texts decoded."""
    outputs = model.signatures["search"](
        query=tf.constant(queries),
        **person(*[list(history)] * len(queries)),
        **page(len(queries), **changes),
    )
    return {
        name: [
            [v.decode() if isinstance(v, bytes) else v for v in row]
            for row in values.numpy().tolist()
        ]
        for name, values in outputs.items()
    }


def shown(model: Any, query: str, *args: Any, **changes: object) -> list[str]:
    """Ids of one page, without the pads."""
    return [i for i in ask(model, [query], *args, **changes)["item_ids"][0] if i]


def test_words_find_the_items_that_hold_them(loaded) -> None:
    found = shown(loaded, "lamp")
    assert found and all(int(i[1:]) % 4 == 2 for i in found)
    assert shown(loaded, "Jug, number 5!")[0] == "i05"


def test_meaning_finds_what_no_word_does(loaded) -> None:
    outputs = ask(loaded, ["cup"])
    found = [i for i in outputs["item_ids"][0] if i]
    assert found[0] == "i00"  # the mug nearest to a cup
    assert found and all(int(i[1:]) % 4 == 0 for i in found)
    assert set(outputs["reasons"][0]) == {"close in meaning", ""}


def test_a_misspelt_query_has_the_page_of_what_was_meant(loaded) -> None:
    found = ask(loaded, ["the chiar", "jgu nubmer 5", "weddin gift"], ("i07",))
    meant = ask(loaded, ["chair", "jug number 5", "weddin gift"], ("i07",))
    assert found == meant
    assert found["item_ids"][0][0] == "i07"
    # No item has these words, so there is nothing to correct them by.
    assert set(found["item_ids"][2]) == {""}


def test_a_chinese_query_finds_the_chinese_title(loaded) -> None:
    outputs = ask(loaded, ["茶壶"])
    assert outputs["item_ids"][0][:2] == ["i37", ""]
    assert outputs["reasons"][0][0] == "matches your words"


def test_clicks_find_what_people_chose_for_the_words(loaded) -> None:
    outputs = ask(loaded, [GIFT])
    chosen = [f"i{row:02d}" for row in GIFTS]  # the more often clicked one first
    assert outputs["item_ids"][0] == [*chosen, *[""] * 8]
    assert outputs["reasons"][0][:3] == ["often chosen for it"] * 2 + [""]


def test_the_person_s_own_items_come_first_among_equals(loaded) -> None:
    assert shown(loaded, "mug")[0] != "i04"
    own = ask(loaded, ["mug"], ("i04",))
    assert own["item_ids"][0][0] == "i04"
    assert own["reasons"][0][0] == "in your history"
    assert set(own["reasons"][0][1:]) == {"matches your words", ""}


def test_the_person_s_own_items_are_found_beyond_the_cut(loaded) -> None:
    # The seventh mug: behind the six that the words alone bring. i01 is a jug.
    assert "i24" not in shown(loaded, "mug")
    found = shown(loaded, "mug", ("i24", "i01"))
    assert "i24" in found and "i01" not in found


@pytest.mark.parametrize("query", ["", " ", "the", "🎉", "qwxyz"])
def test_nothing_to_look_for_is_an_empty_page(loaded, query) -> None:
    outputs = ask(loaded, [query], ("i00",), k=5)
    assert outputs["item_ids"] == outputs["reasons"] == [[""] * 5]
    assert outputs["scores"] == [[0.0] * 5]


def test_scores_fall_and_ids_are_distinct(loaded) -> None:
    outputs = ask(loaded, ["mug number"], k=6)
    (ids,), (scores,) = outputs["item_ids"], outputs["scores"]
    assert len(set(ids)) == 6 and "" not in ids
    assert (np.diff(scores) <= 0).all() and scores[-1] > 0 and scores[0] <= 1


@pytest.mark.parametrize("k", [0, 1, 3, 100])
def test_a_page_has_k_places(loaded, k) -> None:
    outputs = ask(loaded, ["mug"], k=k)
    assert all(len(rows[0]) == k for rows in outputs.values())
    ids = outputs["item_ids"][0]
    assert ids[:6] == ask(loaded, ["mug"], k=10)["item_ids"][0][: min(k, 6)]


def test_filters_come_before_the_lists_are_cut(loaded) -> None:
    # Mugs that cost 30 and more are the last two of ten; six are looked up.
    assert sorted(shown(loaded, "mug", price_min=tf.constant([30.0]))) == ["i32", "i36"]
    lamps = shown(loaded, "number", categories=tf.constant([["Home > lamp"]]))
    assert len(lamps) == 6 and all(int(i[1:]) % 4 == 2 for i in lamps)


def test_filters_hold_on_the_whole_page(loaded) -> None:
    best = shown(loaded, "number")[:3]
    found = shown(
        loaded,
        "number",
        exclude_item_ids=tf.constant([best]),
        categories=tf.constant([["Home > mug", "Home > lamp"]]),
        price_min=tf.constant([3.0]),
        price_max=tf.constant([30.0]),
        in_stock_only=tf.constant([True]),
    )
    rows = [int(i[1:]) for i in found]
    assert rows and not set(found) & set(best)
    assert all(r % 4 in (0, 2) and r % 5 and 3 <= r + 1 <= 30 for r in rows)


def test_a_batch_answers_as_its_queries_do_alone(loaded) -> None:
    together = ask(loaded, MIXED, ("i04", "nobody"))
    for i, query in enumerate(MIXED):
        alone = ask(loaded, [query], ("i04", "nobody"))
        assert together["item_ids"][i] == alone["item_ids"][0], query
        assert together["reasons"][i] == alone["reasons"][0], query
        np.testing.assert_allclose(together["scores"][i], alone["scores"][0], rtol=1e-5)


def test_the_saved_model_answers_as_the_one_in_memory(bundle, loaded) -> None:
    inputs = {**person(*[["i04"]] * len(MIXED)), **page(len(MIXED))}
    outputs = bundle.search(query=tf.constant(MIXED), **inputs)
    again = loaded.signatures["search"](query=tf.constant(MIXED), **inputs)
    assert (outputs["item_ids"] == again["item_ids"]).numpy().all()
    assert (outputs["reasons"] == again["reasons"]).numpy().all()
    np.testing.assert_allclose(outputs["scores"], again["scores"], rtol=1e-5)


class CheapFirst(tf.Module):
    """Ranks by price alone, whatever the first stage thinks."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place

    def score(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"score": -values[:, self._place]}


def test_the_search_ranker_orders_the_page(bundle) -> None:
    names = bundle.search_funnel.feature_names
    cheap = make_bundle(CheapFirst(names.index("item_price")))
    inputs = {**person(["i24"]), **page(1)}
    ids = cheap.search(query=tf.constant(["mug"]), **inputs)["item_ids"][0]
    rows = [int(i[1:]) for i in ids.numpy() if i]
    assert len(rows) == 7 and rows == sorted(rows)  # item i costs 1 + i
    assert max(rows) < NUM_ITEMS and 24 in rows


def test_what_the_query_names_stands_above_the_ranker_s_choice(bundle) -> None:
    names = bundle.search_funnel.feature_names
    cheap = make_bundle(CheapFirst(names.index("item_price")))
    inputs = {**person([]), **page(1)}
    found = cheap.search(query=tf.constant(["mug number 24"]), **inputs)
    first, *others = [int(i[1:]) for i in found["item_ids"][0].numpy() if i]
    assert first == 24 and others and others == sorted(others)
    assert (np.diff(found["scores"][0]) <= 0).all()
