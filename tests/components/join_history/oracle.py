"""Moments made the slow way, one row at a time, straight from their definition."""

from __future__ import annotations

from typing import Any

from core.config.moments import MomentConfig
from core.config.splits import SplitConfig

Row = dict[str, Any]


def grid_moments(rows: list[Row], splits: SplitConfig) -> dict[str, list[Row]]:
    """Split → moments at the cut-offs, by user and cut-off."""
    found: dict[str, list[Row]] = {n: [] for n in ("train", "recent", "eval", "test")}
    for user in sorted({row["user_id"] for row in rows}):
        own = _sorted_rows(rows, user)
        for cutoff in sorted([*splits.grid, splits.test_start]):
            targets = [
                r for r in own if cutoff <= r["timestamp"] < cutoff + splits.horizon_s
            ]
            moment = _moment(user, cutoff, own, targets, splits)
            if moment["history_timestamps"] and targets:
                found[splits.split_of(cutoff)].append(moment)
    return found


def next_moments(
    rows: list[Row], splits: SplitConfig, config: MomentConfig
) -> dict[str, list[Row]]:
    """Split → every eligible session's moment, none sampled away."""
    found: dict[str, list[Row]] = {"next_train": [], "next_eval": []}
    for user in sorted({row["user_id"] for row in rows}):
        own = _sorted_rows(rows, user)
        for session in _sessions(own, config.session_gap_s):
            start = session[0]["timestamp"]
            if start < splits.eval_start:
                split, until = "next_train", splits.eval_start
            elif start < splits.test_start:
                split, until = "next_eval", splits.test_start
            else:
                continue
            targets = [row for row in session if row["timestamp"] < until]
            moment = _moment(user, start, own, targets, splits)
            if len(moment["history_timestamps"]) >= config.min_next_history:
                found[split].append(moment)
    return found


def _sorted_rows(rows: list[Row], user: str) -> list[Row]:
    return sorted(
        (row for row in rows if row["user_id"] == user), key=lambda r: r["timestamp"]
    )


def _sessions(own: list[Row], gap_s: int) -> list[list[Row]]:
    named: dict[str, list[Row]] = {}
    unnamed: list[list[Row]] = []
    last = None
    for row in own:
        if row["session_id"]:
            named.setdefault(row["session_id"], []).append(row)
            continue
        if last is None or row["timestamp"] - last > gap_s:
            unnamed.append([])
        unnamed[-1].append(row)
        last = row["timestamp"]
    return sorted([*named.values(), *unnamed], key=lambda s: s[0]["timestamp"])


def _moment(
    user: str, cutoff: int, own: list[Row], targets: list[Row], splits: SplitConfig
) -> Row:
    before = [row for row in own if row["timestamp"] < cutoff]
    countries = [row["country"] for row in before if row["country"] is not None]
    history = before[-splits.max_history :]
    return {
        "user_id": user,
        "timestamp": cutoff,
        "history_item_ids": [row["item_id"] for row in history],
        "history_events": [row["event"] for row in history],
        "history_timestamps": [row["timestamp"] for row in history],
        "target_item_ids": [row["item_id"] for row in targets],
        "target_events": [row["event"] for row in targets],
        "target_timestamps": [row["timestamp"] for row in targets],
        "country": countries[-1] if countries else None,
    }
