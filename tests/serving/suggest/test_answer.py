"""When a correction is offered, when it stands in: pages made of titles."""

from __future__ import annotations

import pytest

from serving.suggest import SearchAnswer, Suggester
from serving.suggest.answer import count_matches

FRENCH = ["FRENCH ENAMEL JUG", "French jug, enamel", "ENAMEL JUGS FRENCH", "CUP"]
OTHER = ["ENAMEL JUG", "BLUE ENAMEL JUG"]


class Shop:
    """Answers queries from a dictionary and remembers what it was asked."""

    def __init__(self, suggester: Suggester, pages: dict[str, list[str]]) -> None:
        self.suggester, self.pages = suggester, pages
        self.asked: list[str] = []

    def search(self, query: str) -> SearchAnswer[list[str]]:
        return self.suggester.search(query, ask=self._ask, titles=lambda page: page)

    def _ask(self, query: str) -> list[str]:
        self.asked.append(query)
        return self.pages.get(query, [])


def test_a_poor_page_gives_way_to_the_corrected_one(shop: Suggester) -> None:
    pages = {"frnech enamel jug": OTHER, "french enamel jug": FRENCH}
    answer = Shop(shop, pages).search("frnech enamel jug")

    assert answer.page == FRENCH
    assert (answer.shown_for, answer.did_you_mean) == ("french enamel jug", "")
    assert answer.is_corrected


def test_a_good_page_stays_and_the_correction_is_offered(shop: Suggester) -> None:
    # The shop has three items of the brand Frnech, which its lexicon does not know yet.
    asked = Shop(shop, {"frnech jug": [f"FRNECH JUG {i}" for i in range(3)]})
    answer = asked.search("frnech jug")

    assert asked.asked == ["frnech jug"]
    assert (answer.shown_for, answer.did_you_mean) == ("frnech jug", "french jug")
    assert not answer.is_corrected


def test_a_corrected_page_that_is_no_better_is_not_shown(shop: Suggester) -> None:
    pages = {"frnech jug": ["FRNECH JUG"], "french jug": ["FRENCH JUG"]}
    answer = Shop(shop, pages).search("frnech jug")

    assert answer.page == ["FRNECH JUG"]
    assert (answer.shown_for, answer.did_you_mean) == ("frnech jug", "french jug")


def test_where_no_item_holds_all_words_the_page_with_more_of_them_is_shown(
    shop: Suggester,
) -> None:
    # Nothing is French, of enamel and a jug; the typed word finds nothing at all.
    typed, corrected = ["ENAMEL JUG", "ENAMEL MUG"], ["FRENCH ENAMEL POT", "ENAMEL JUG"]
    pages = {"frnech enamel jug": typed, "french enamel jug": corrected}
    answer = Shop(shop, pages).search("frnech enamel jug")
    assert (answer.page, answer.shown_for) == (corrected, "french enamel jug")
    # No more of its words: the typed page stays.
    pages["french enamel jug"] = ["FRENCH JUG", "JUG"]
    answer = Shop(shop, pages).search("frnech enamel jug")
    assert (answer.page, answer.did_you_mean) == (typed, "french enamel jug")


@pytest.mark.parametrize("query", ["fresh jug", "french enamel jug", "茶 jug", ""])
def test_known_words_are_never_rewritten_even_on_an_empty_page(
    shop: Suggester, query: str
) -> None:
    asked = Shop(shop, {})
    answer = asked.search(query)

    assert asked.asked == [query]
    assert (answer.page, answer.shown_for, answer.did_you_mean) == ([], query, "")


def test_a_match_holds_every_word_in_any_number_and_order() -> None:
    titles = ["JUGS, enamel", "Enamel jug French", "enamel mug", ""]

    # Whole matches, then words: enamel and jug twice, enamel once.
    assert count_matches("enamel jug", titles) == (2, 5)
    assert count_matches("the enamel of jugs", titles) == (2, 5)
    assert count_matches("the", titles) == (0, 0)
    assert count_matches("温杯", ["保温杯", "杯温"])[0] == 1
