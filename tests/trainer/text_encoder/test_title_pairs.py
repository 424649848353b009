"""Made-up queries hold words of their item's title, in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.pairs import TrainingPairs, make_pairs, no_pairs
from trainer.text_encoder.title_pairs import add_title_pairs

TITLES = [
    "red enamel jug large",
    "mug",
    "",
    None,
    "保温杯不锈钢",
    "red enamel jug small",
]
ITEMS = pa.table({"item_id": list("abcdef"), "title": TITLES})
CONFIG = TextEncoderConfig.tiny().replace(title_pairs=20)


def _is_part(query: str, title: str) -> bool:
    words = iter(title.split())
    return query in title or all(word in words for word in query.split())


def test_queries_are_words_of_their_title_in_order() -> None:
    bought = make_pairs([0], [1], [1.0])
    found = add_title_pairs(
        TrainingPairs((), no_pairs(), bought, no_pairs()), ITEMS, CONFIG
    )
    assert found.item_items is bought
    pairs = found.query_items
    assert set(pairs.right) == {0, 1, 4, 5}  # those with a title
    assert pairs.num_pairs == 80 and len(set(found.queries)) == len(found.queries)
    for left, right in zip(pairs.left, pairs.right, strict=True):
        assert found.queries[left] and _is_part(found.queries[left], TITLES[right])
    lengths = [len(found.queries[q].split()) for q in pairs.left[pairs.right == 0]]
    assert 1.2 < np.mean(lengths) < 2.8  # half of four words


def test_items_are_left_out_evenly_and_the_seed_decides() -> None:
    config = CONFIG.replace(max_pairs=20)
    nothing = TrainingPairs((), no_pairs(), no_pairs(), no_pairs())
    first, again = (add_title_pairs(nothing, ITEMS, config) for _ in range(2))
    assert first.query_items.num_pairs == 20 and first.queries == again.queries
    assert len(set(first.query_items.right)) == 4


def test_what_people_asked_for_stays() -> None:
    asked = make_pairs([0, 1], [5, 0], [1.0, 3.0])
    pairs = TrainingPairs(("tea", "cup"), asked, no_pairs(), asked)
    found = add_title_pairs(pairs, ITEMS, CONFIG)
    assert found.queries[:2] == ("tea", "cup")
    assert found.query_items.num_pairs == 82
    assert found.query_items.right[:2].tolist() == [5, 0]
    weights = found.query_items.weights
    assert weights[1] / weights[0] == pytest.approx(3.0)
    assert weights[:2].mean() == pytest.approx(weights[2:].mean())


def test_a_made_up_query_that_people_typed_in_other_letters_is_theirs() -> None:
    asked = make_pairs([0], [5], [1.0])
    pairs = TrainingPairs(("MUG",), asked, no_pairs(), asked)
    items = pa.table({"item_id": ["a", "b"], "title": ["mug", "Múg"]})
    # Of a single word half the letters: "m" and "M" are one query too.
    found = add_title_pairs(pairs, items, CONFIG)
    keys = [query.lower().replace("ú", "u") for query in found.queries]
    assert found.queries[0] == "MUG" and len(set(keys)) == len(keys)


def test_made_up_pairs_that_are_not_trained_on_are_hits() -> None:
    items = pa.table({"item_id": list("abcd"), "title": ["x"] * 4})
    nothing = TrainingPairs((), no_pairs(), no_pairs(), no_pairs())
    found = add_title_pairs(nothing, items, CONFIG.replace(max_pairs=1))
    assert found.queries == ("x",) and found.query_items.num_pairs == 1
    assert set(found.query_hits.right) == {0, 1, 2, 3}
