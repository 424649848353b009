"""Query clicks against a pandas oracle, and nothing of the cut-off or later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.config import ShopConfig
from core.config.query_clicks import QueryClicksConfig
from core.errors import ArtifactError
from trainer.search.analyzer import Analyzer
from trainer.search.position_bias import Propensities
from trainer.search.query_clicks import QueryClicks, build_query_clicks
from trainer.search.query_log import query_log

SHOP = ShopConfig(
    name="words",
    event_types=("view", "click", "purchase"),
    event_weights=(0.1, 0.3, 1.0),
)
ITEMS = pa.table({"item_id": [f"i{n}" for n in range(12)]})
BIAS = Propensities(np.array([1.0, 0.5, 0.25]), np.array([9, 5, 3]))
CONFIG = QueryClicksConfig(smoothing=4.0)
AS_OF = 50_000
# Typed → what the analyzer makes of it (tests/trainer/search/test_analyzer.py).
SPELLINGS = {
    "French jugs": "french jug",
    "the french JUG!": "french jug",
    "10cm": "10 cm",
    "10 cm": "10 cm",
    "茶": "茶",
    "the": "",
}


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def _events(seed: int = 0, count: int = 1_500) -> pd.DataFrame:
    """Random events, a fifth without a query, some positions unknown."""
    rng = np.random.default_rng(seed)
    typed = [*SPELLINGS, None]
    frame = pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in rng.integers(0, 6, count)],
            "item_id": [f"i{n}" for n in rng.integers(0, 12, count)],
            "event": rng.choice(SHOP.event_types, count, p=[0.6, 0.3, 0.1]),
            "timestamp": rng.integers(0, 100_000, count),
            "query": [typed[n] for n in rng.integers(0, len(typed), count)],
            "session_id": [f"s{n}" for n in rng.integers(0, 40, count)],
            "position": rng.integers(-1, 5, count).astype(float),
        }
    )
    frame.loc[frame["position"] < 0, "position"] = np.nan
    return frame


def _build(
    frame: pd.DataFrame, analyzer: Analyzer, config: QueryClicksConfig = CONFIG
) -> QueryClicks:
    events = pa.Table.from_pandas(frame, preserve_index=False)
    log = query_log(ITEMS, events, SHOP, analyzer)
    return build_query_clicks(log, as_of=AS_OF, propensities=BIAS, config=config)


def _oracle(frame: pd.DataFrame) -> dict[tuple[str, int], tuple[float, float]]:
    """(query, row) → rate and log count, one impression at a time."""
    frame = frame[frame["timestamp"] < AS_OF].dropna(subset=["query"])
    seen: dict[tuple[str, int], list[tuple[float, bool]]] = {}
    for key, shown in frame.groupby(["user_id", "session_id", "query", "item_id"]):
        query, row = SPELLINGS[key[2]], int(key[3][1:])
        slots = shown.dropna(subset=["position"]).sort_values(["timestamp", "position"])
        slot = slots["position"].iloc[0] if len(slots) else None
        looked = 1.0 if slot is None else (1.0, 0.5, 0.25, 0.25, 0.25)[int(slot)]
        clicked = bool((shown["event"] != "view").any())
        if query:
            seen.setdefault((query, row), []).append((looked, clicked))
    every = [impression for pair in seen.values() for impression in pair]
    mean = sum(c for _, c in every) / sum(e for e, _ in every)
    return {
        pair: (
            (sum(c for _, c in shown) + 4.0 * mean) / (sum(e for e, _ in shown) + 4.0),
            float(np.log(1 + len(shown))),
        )
        for pair, shown in seen.items()
    }


def _pairs(tables: QueryClicks) -> dict[tuple[str, int], tuple[float, float]]:
    owner = np.repeat(np.arange(len(tables.queries)), np.diff(tables.splits))
    return {
        (tables.queries[q], int(row)): (float(rate), float(count))
        for q, row, rate, count in zip(
            owner, tables.rows, tables.rates, tables.counts, strict=True
        )
    }


def test_rates_and_counts_equal_the_oracle(analyzer: Analyzer) -> None:
    frame = _events()
    found, expected = _pairs(_build(frame, analyzer)), _oracle(frame)
    assert set(found) == set(expected)
    assert {query for query, _ in found} == {"french jug", "10 cm", "茶"}
    for pair, values in expected.items():
        np.testing.assert_allclose(found[pair], np.minimum(values, (1, 99)), rtol=1e-6)


def test_nothing_at_or_after_the_cutoff_counts(analyzer: Analyzer) -> None:
    frame = _events()
    frame.loc[0, "timestamp"] = AS_OF  # one exactly on the border
    before = frame[frame["timestamp"] < AS_OF]
    later = frame.copy()
    after = later["timestamp"] >= AS_OF
    later.loc[after, "event"] = "purchase"
    later.loc[after, "position"] = 0.0
    for other in (before, later):
        assert _pairs(_build(other, analyzer)) == _pairs(_build(frame, analyzer))


def test_the_most_frequent_queries_and_most_clicked_items_stay(
    analyzer: Analyzer,
) -> None:
    frame = _events()
    whole = _build(frame, analyzer)
    config = CONFIG.replace(max_queries=1, max_items_per_query=3)
    small = _build(frame, analyzer, config)
    shown = [np.expm1(whole.counts[a:b]).sum() for a, b in _spans(whole)]
    best = int(np.argmax(shown))
    assert small.queries == (whole.queries[best],)
    start = whole.splits[best]
    np.testing.assert_array_equal(small.rows, whole.rows[start : start + 3])
    np.testing.assert_array_equal(small.rates, whole.rates[start : start + 3])


def _spans(tables: QueryClicks) -> list[tuple[int, int]]:
    return list(zip(tables.splits[:-1], tables.splits[1:], strict=True))


@pytest.mark.parametrize("columns", [[], ["query"], ["query", "session_id"]])
def test_a_shop_without_queries_has_empty_tables(
    analyzer: Analyzer, columns: list[str], tmp_path: Path
) -> None:
    frame = _events().drop(columns=["query", "session_id", "position"])
    for name in columns:
        frame[name] = pd.Series([None] * len(frame), dtype=object)
    _build(frame, analyzer).save(tmp_path)
    tables = QueryClicks.load(tmp_path)
    assert tables.queries == () and len(tables.rows) == 0
    assert tables.splits.tolist() == [0] and tables.num_items == 12


def test_tables_survive_a_file(analyzer: Analyzer, tmp_path: Path) -> None:
    tables = _build(_events(), analyzer)
    tables.save(tmp_path)
    again = QueryClicks.load(tmp_path)
    assert again.queries == tables.queries and again.as_of == AS_OF
    assert _pairs(again) == _pairs(tables)
    with pytest.raises(ArtifactError, match="readable"):
        QueryClicks.load(tmp_path / "nowhere")
