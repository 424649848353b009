from __future__ import annotations

from components.evaluate_search.searches import (
    judged_searches,
    logged_searches,
    search_counts,
)
from tests.components.search_world import event_tables, judgments_table
from tests.components.small_world import CUTOFF, ITEM_IDS


def pairs(grades) -> list[tuple[int, int, float]]:
    return list(
        zip(
            grades.searches.tolist(),
            grades.rows.tolist(),
            grades.values.tolist(),
            strict=True,
        )
    )


def test_judged_queries_are_asked_by_nobody():
    found = judged_searches(judgments_table(), ITEM_IDS)

    assert found.queries == ["mug", "tea"]
    assert pairs(found.truths["graded"]) == [(0, 1, 2), (1, 0, 3), (1, 3, 1), (1, 5, 0)]
    assert found.moments["user_id"].to_pylist() == ["", ""]
    assert found.moments["history_item_ids"].to_pylist() == [[], []]


def test_a_search_is_what_a_user_saw_for_a_query_in_a_session():
    found = logged_searches(*event_tables(), ITEM_IDS, context=("country",))

    moments = found.moments.to_pylist()
    assert [(m["user_id"], m["query"], m["timestamp"]) for m in moments] == [
        ("u1", "tea", CUTOFF + 10),
        ("u1", "red", CUTOFF + 40),
        ("u2", "red", CUTOFF + 16),
    ]
    assert [m["country"] for m in moments] == ["Japan", "Japan", ""]
    assert pairs(found.truths["clicked"]) == [
        (0, 0, 1),
        (0, 3, 1),
        (1, 1, 1),
        (2, 9, 1),
    ]
    assert pairs(found.truths["bought"]) == [(0, 3, 1)]


def test_history_ends_strictly_before_the_search():
    found = logged_searches(*event_tables(), ITEM_IDS)

    histories = found.moments["history_item_ids"].to_pylist()
    # not the items that the search itself shows
    assert histories[0] == ["item-05", "item-06"]
    assert histories[1][-2:] == ["item-03", "item-08"]
    assert histories[2] == ["item-02", "item-01", "item-04"]
    times = found.moments["history_timestamps"].to_pylist()
    assert times[2] == [CUTOFF - 30, CUTOFF - 20, CUTOFF + 15]
    assert found.moments["history_events"].to_pylist()[0] == ["click", "purchase"]


def test_long_histories_keep_their_newest_events():
    found = logged_searches(*event_tables(), ITEM_IDS, max_history=1)

    assert found.moments["history_item_ids"].to_pylist() == [
        ["item-06"],
        ["item-08"],
        ["item-04"],
    ]


def test_without_session_ids_events_of_one_time_are_a_search():
    past, test = (t.drop(["session_id"]) for t in event_tables())

    found = logged_searches(past, test, ITEM_IDS)

    # u1's clicks of `tea` at 12 and 13 and the purchase at 20 are searches of their own
    assert found.moments.num_rows == 5


def test_searches_without_a_click_are_kept_on_demand():
    found = logged_searches(*event_tables(), ITEM_IDS, used_only=False)

    times = found.moments["timestamp"].to_pylist()
    assert times == [CUTOFF + 10, CUTOFF + 30, CUTOFF + 40, CUTOFF + 16]
    assert found.truths["clicked"].num_relevant.tolist() == [2, 0, 1, 1]


def test_samples_are_deterministic_and_keep_truths_with_their_searches():
    samples = [
        logged_searches(*event_tables(), ITEM_IDS, max_searches=2, seed=3)
        for _ in range(2)
    ]

    assert samples[0].moments == samples[1].moments
    assert samples[0].moments.num_rows == 2
    assert samples[0].truths["clicked"].num_searches == 2
    assert (samples[0].truths["clicked"].num_relevant > 0).all()


def test_searches_are_counted_once_a_session():
    past, test = event_tables()

    assert search_counts(past) == {"tea": 2, "red": 1}
    assert search_counts(test) == {"tea": 2, "red": 2, "mug": 1}
