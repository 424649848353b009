"""A gift shop small enough to know every answer."""

from __future__ import annotations

from core.lexicon import Lexicon, Pair, Phrase, Query, Term, Word

DAY = 86_400


def gift_shop() -> Lexicon:
    """Ten words, four queries, titles in two languages."""
    counts = {
        "french": 40,
        "fresh": 4,
        "enamel": 30,
        "jug": 25,
        "jugs": 5,
        "mug": 90,
        "t": 50,
        "light": 60,
        "lunchbox": 8,
        "garden": 20,
        "gardener": 2,
        "保温杯": 6,
    }
    terms = {"jugs": "jug", "t": "t", "保温杯": ""}
    words = tuple(Word(w, terms.get(w, w), n, 0) for w, n in counts.items())
    singles = {w.term for w in words if w.term} | set("保温杯")
    return Lexicon(
        as_of=100 * DAY,
        terms=tuple(Term(term, 1, 0) for term in sorted(singles)),
        words=words,
        pairs=(
            Pair("french", "enamel", 20),
            Pair("enamel", "jug", 10),
            Pair("enamel", "mug", 3),
            Pair("t", "light", 45),
        ),
        queries=(
            Query("mug", 90, 60, 50, 99 * DAY, 99.0, "Kitchen > Mugs"),
            Query("mug red", 9, 8, 5, 99 * DAY, 9.0, "Kitchen > Mugs"),
            Query("mud boots", 4, 3, 2, 90 * DAY, 4.0, "Garden > Boots"),
            Query("french enamel jug", 3, 2, 1, 90 * DAY, 3.0, "Kitchen > Jugs"),
        ),
        phrases=(
            Phrase("Mugs", "category", 50.0, "Kitchen > Mugs"),
            Phrase("Mulberry", "brand", 7.0, ""),
            Phrase("MUG T-LIGHT 10cm", "title", 20.0, "Kitchen > Mugs"),
            Phrase("不锈钢 保温杯 500毫升", "title", 5.0, "厨房 > 杯子"),
            Phrase("不锈钢 炊具", "title", 3.0, "厨房 > 炊具"),
        ),
    )
