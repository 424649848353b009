"""No moment knows anything at or after its time; equality with a slow oracle."""

from __future__ import annotations

import string
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.join_history.make_moments import (
    SPLITS,
    make_moments,
    moments_schema,
)
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig
from core.features import SECONDS_PER_DAY as DAY
from tests.components.join_history import oracle
from tests.components.shop_tables import as_table, event

CONTEXT = ("country",)
# T2 on day 20, T1 on day 18; cut-offs on days 18, 17, 16, 15: two of them `recent`.
SPLIT_CONFIG = SplitConfig(
    test_start=20 * DAY, horizon_days=2, stride_days=1, num_cutoffs=4, max_history=4
)
# Few distinct times, on and beside the cut-offs, so that ties and borders are common.
TIMES = st.one_of(
    st.sampled_from([d * DAY + s for d in range(13, 24) for s in (-1, 0, 1)]),
    st.integers(12 * DAY, 23 * DAY),
)
ROWS = st.lists(
    st.builds(
        event,
        user=st.sampled_from(["u", "ü", "v"]),
        item=st.sampled_from(string.ascii_lowercase[:5]),
        timestamp=TIMES,
        event=st.sampled_from(["view", "purchase"]),
        session_id=st.sampled_from([None, "", "s", "t", "r"]),
        country=st.sampled_from([None, "FR", "DE"]),
    ),
    min_size=1,
    max_size=40,
)


def _moments(
    rows: list[dict[str, Any]], splits: SplitConfig, config: MomentConfig
) -> dict[str, list[dict[str, Any]]]:
    made = make_moments(as_table("events", rows), splits, config, CONTEXT)
    return {name: table.to_pylist() for name, table in made.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, gap_s=st.sampled_from([0, 1, DAY]), limit=st.integers(1, 3))
def test_nothing_at_or_after_the_moment_is_in_its_history(
    rows: list[dict[str, Any]], gap_s: int, limit: int
) -> None:
    splits = SPLIT_CONFIG.replace(max_next_moments_per_user=limit)
    config = MomentConfig(session_gap_s=gap_s, min_next_history=0)
    made = _moments(rows, splits, config)
    assert set(made) == set(SPLITS)
    for name, moments in made.items():
        for moment in moments:
            cutoff = moment["timestamp"]
            assert all(t < cutoff for t in moment["history_timestamps"])
            assert moment["history_timestamps"] == sorted(moment["history_timestamps"])
            assert len(moment["history_timestamps"]) <= splits.max_history
            assert moment["target_timestamps"]
            assert all(t >= cutoff for t in moment["target_timestamps"])
            if name in ("next_train", "train"):
                assert max(moment["target_timestamps"]) < splits.eval_start
            elif name in ("next_eval", "eval", "recent"):
                assert max(moment["target_timestamps"]) < splits.test_start
            if not name.startswith("next"):
                horizon_end = cutoff + splits.horizon_s
                assert max(moment["target_timestamps"]) < horizon_end
        if name.startswith("next"):
            users = [moment["user_id"] for moment in moments]
            assert all(users.count(user) <= limit for user in users)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, gap_s=st.sampled_from([0, 1, DAY]), enough=st.integers(0, 2))
def test_moments_equal_the_oracle(
    rows: list[dict[str, Any]], gap_s: int, enough: int
) -> None:
    config = MomentConfig(session_gap_s=gap_s, min_next_history=enough)
    splits = SPLIT_CONFIG.replace(max_next_moments_per_user=1_000)
    made = _moments(rows, splits, config)
    expected = oracle.grid_moments(rows, splits)
    for name, moments in expected.items():
        assert made[name] == moments
    for name, moments in oracle.next_moments(rows, splits, config).items():
        assert _canonical(made[name]) == _canonical(moments)


def _canonical(moments: list[dict[str, Any]]) -> list[str]:
    """Sessions that start at the same second have no order between them."""
    return sorted(repr(sorted(moment.items())) for moment in moments)


def test_one_invoice_is_not_its_own_history() -> None:
    day = 10 * DAY
    rows = [event("u", "a", day, session_id="old")]
    rows += [event("u", i, day + 5, session_id="new") for i in ("b", "c")]
    rows += [event("u", "d", day + 9, session_id="new")]
    (moment,) = _moments(rows, SPLIT_CONFIG, MomentConfig())["next_train"]
    assert moment["history_item_ids"] == ["a"]
    assert moment["target_item_ids"] == ["b", "c", "d"]
    assert moment["timestamp"] == day + 5


def test_history_keeps_the_last_events_and_context_the_last_known() -> None:
    rows = [
        event("u", f"i{n}", 10 * DAY + n, country="FR" if n == 2 else None)
        for n in range(9)
    ]
    rows.append(event("u", "target", 18 * DAY, country="DE"))
    (moment,) = _moments(rows, SPLIT_CONFIG, MomentConfig())["eval"]
    assert moment["history_item_ids"] == ["i5", "i6", "i7", "i8"]
    assert moment["target_item_ids"] == ["target"]
    assert moment["country"] == "FR"


def test_a_user_s_sample_does_not_depend_on_other_users() -> None:
    def rows_of(user: str) -> list[dict[str, Any]]:
        return [event(user, "a", n * 3_600) for n in range(60)]

    splits = SPLIT_CONFIG.replace(max_next_moments_per_user=7)
    alone = _moments(rows_of("u"), splits, MomentConfig())["next_train"]
    crowd = [row for user in ("a", "u", "z") for row in rows_of(user)]
    among = _moments(crowd, splits, MomentConfig())["next_train"]
    assert [m for m in among if m["user_id"] == "u"] == alone
    assert len(alone) == 7
    times = {m["timestamp"] for m in alone}
    others = {m["timestamp"] for m in among if m["user_id"] == "z"}
    assert times != others  # the draw differs between users
    again = _moments(rows_of("u"), splits, MomentConfig(seed=1))["next_train"]
    assert {m["timestamp"] for m in again} != times


def test_every_split_has_the_schema_even_without_rows() -> None:
    made = make_moments(
        as_table("events", [event("u", "a", 5)]), SPLIT_CONFIG, MomentConfig(), CONTEXT
    )
    for table in made.values():
        assert table.num_rows == 0
        assert table.schema == moments_schema(CONTEXT)
    assert pa.types.is_large_list(made["eval"].schema.field("history_events").type)
