"""Nearest words against a plain dynamic programme of the same distance."""

from __future__ import annotations

import random

from serving.suggest.nearest import NearestWords


def osa(first: str, second: str) -> int:
    """Optimal string alignment (Boytsov 2011, section 2.2), cell by cell."""
    table = {(i, 0): i for i in range(len(first) + 1)}
    table |= {(0, j): j for j in range(len(second) + 1)}
    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            costs = [
                table[i - 1, j] + 1,
                table[i, j - 1] + 1,
                table[i - 1, j - 1] + (first[i - 1] != second[j - 1]),
            ]
            if i > 1 and j > 1 and first[i - 2 : i] == second[j - 2 : j][::-1]:
                costs.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(costs)
    return table[len(first), len(second)]


def test_candidates_are_those_of_the_plain_distance() -> None:
    rng = random.Random(2)
    words = {"".join(rng.choices("abc", k=rng.randint(2, 7))) for _ in range(300)}
    nearest = NearestWords(words)
    for _ in range(100):
        typed = "".join(rng.choices("abcd", k=rng.randint(2, 7)))
        expected = {(w, d) for w in words if (d := osa(typed, w)) <= 2}
        alike = {(w, d) for w, d in expected if w[0] in typed[:2]}

        found = nearest.near(typed, 2)
        assert len(set(found)) == len(found)
        assert set(found) == (alike if any(d <= 1 for _, d in alike) else expected)


def test_another_first_letter_is_found_where_no_near_word_begins_alike() -> None:
    nearest = NearestWords(["french", "grain"])

    assert nearest.near("grench", 2) == [("french", 1)]


def test_beginnings() -> None:
    nearest = NearestWords(["french", "fresh", "mug"])

    assert ("frenc", 1) in nearest.near_beginnings("frnec")
    assert nearest.near_beginnings("rfe") == [("fre", 1)]
    assert nearest.near_beginnings("x" * 40) == []
