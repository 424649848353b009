"""Search pages made the slow way, one row at a time, straight from their definition."""

from __future__ import annotations

from typing import Any

from core.config.splits import SplitConfig

Row = dict[str, Any]


def search_pages(
    rows: list[Row], splits: SplitConfig, gap_s: int
) -> dict[str, list[Row]]:
    """Split → pages, none sampled away, by user, time, query and session."""
    found: dict[str, list[Row]] = {"train": [], "eval": [], "test": []}
    for user in sorted({row["user_id"] for row in rows}):
        own = sorted(
            (row for row in rows if row["user_id"] == user),
            key=lambda row: row["timestamp"],
        )
        pages = [_page(own, page, splits) for page in _pages(own, gap_s)]
        pages.sort(key=lambda p: (p["timestamp"], p["query"], p["session_id"] or ""))
        for page in pages:
            if page["cutoff"] is not None:
                found[_split(page["timestamp"], splits)].append(page)
    return found


def _pages(own: list[Row], gap_s: int) -> list[list[Row]]:
    pages: list[list[Row]] = []
    for row in own:
        if not (row["query"] or "").strip():
            continue
        for page in pages:
            same = all(row[k] == page[-1][k] for k in ("query", "session_id"))
            near = row["timestamp"] - page[-1]["timestamp"] <= gap_s
            if same and (row["session_id"] is not None or near):
                page.append(row)
                break
        else:
            pages.append([row])
    return pages


def _split(start: int, splits: SplitConfig) -> str:
    if start >= splits.test_start:
        return "test"
    return "eval" if start >= splits.eval_start else "train"


def _page(own: list[Row], page: list[Row], splits: SplitConfig) -> Row:
    start = page[0]["timestamp"]
    until = {"train": splits.eval_start, "eval": splits.test_start}
    end = until.get(_split(start, splits), start + 10**9)
    inside = [row for row in page if row["timestamp"] < end]
    cutoffs = [c for c in (*splits.grid, splits.test_start) if c <= start]
    history = [row for row in own if row["timestamp"] < start][-splits.max_history :]
    shown = [_item(i, inside) for i in sorted({row["item_id"] for row in inside})]
    shown.sort(key=lambda s: s["position"] if s["position"] >= 0 else 10**9)
    first = own.index(page[0])
    countries = [r["country"] for r in own[: first + 1] if r["country"] is not None]
    return {
        "user_id": page[0]["user_id"],
        "timestamp": start,
        "cutoff": max(cutoffs, default=None),
        "query": page[0]["query"],
        "session_id": page[0]["session_id"],
        "history_item_ids": [row["item_id"] for row in history],
        "history_events": [row["event"] for row in history],
        "history_timestamps": [row["timestamp"] for row in history],
        "shown_item_ids": [s["item"] for s in shown],
        "shown_positions": [s["position"] for s in shown],
        "shown_click": [int("click" in s["events"]) for s in shown],
        "shown_purchase": [int("purchase" in s["events"]) for s in shown],
        "country": countries[-1] if countries else None,
    }


def _item(item: str, page: list[Row]) -> Row:
    own = [row for row in page if row["item_id"] == item]
    slots = [(r["timestamp"], r["position"]) for r in own if r["position"] is not None]
    return {
        "item": item,
        "position": min(slots)[1] if slots else -1,
        "events": {row["event"] for row in own},
    }
