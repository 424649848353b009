from __future__ import annotations

import copy

import pytest

from components.gates.check_metrics import check_metrics
from core.config.gates import GatesConfig


def _system(ndcg, coverage=0.4):
    return {"all": {"ndcg@20": {"value": ndcg}, "coverage@20": {"value": coverage}}}


def _metrics(bundle=0.4, slice_ndcg=0.3, num_moments=500, **others):
    systems = {"bundle": _system(bundle)}
    for name, value in {"popularity": 0.1, "user_frequency": 0.33, **others}.items():
        systems[name] = _system(value)
    return {
        "cutoff": 100,
        "primary_metric": "ndcg@20",
        "num_items": 1_000,
        "num_moments": {"all": num_moments},
        "systems": systems,
        "differences": {},
        "slices": [
            {
                "feature": "country",
                "value": "France",
                "view": "all",
                "num_moments": num_moments,
                "systems": {
                    name: {"ndcg@20": {"value": slice_ndcg}} for name in systems
                },
            }
        ],
    }


def _failed(verdicts):
    return [v.gate for v in verdicts if not v.passed]


def test_a_first_good_bundle_passes_and_says_what_was_skipped():
    verdicts = check_metrics(_metrics(), None, GatesConfig())
    assert _failed(verdicts) == []
    assert [v.gate for v in verdicts if v.skipped] == [
        "holds the last blessed model's level"
    ]


@pytest.mark.parametrize(("value", "failed"), [(0.33, True), (0.3301, False)])
def test_a_baseline_must_be_exceeded(value, failed):
    verdicts = check_metrics(_metrics(bundle=value), None, GatesConfig())
    assert _failed(verdicts) == (["beats user_frequency"] if failed else [])


def test_a_missing_baseline_fails():
    verdicts = check_metrics(_metrics(), None, GatesConfig(must_beat=("oracle",)))
    assert _failed(verdicts) == ["beats oracle"]


@pytest.mark.parametrize(("value", "failed"), [(0.379, True), (0.381, False)])
def test_a_fall_of_more_than_five_percent_fails(value, failed):
    verdicts = check_metrics(_metrics(bundle=value), _metrics(), GatesConfig())
    assert bool(_failed(verdicts)) is failed  # .4 * .95 = .38


def test_what_is_refused_reads_beyond_its_bound():
    # Each is refused by less than the digits that are usual would show.
    def refused(now, before=None, **bounds):
        verdicts = check_metrics(now, before, GatesConfig(**bounds))
        (found,) = (v.message for v in verdicts if not v.passed)
        return found

    # .379996 / .4 = .94999
    assert "(-5.001 %, at most -5 %" in refused(_metrics(bundle=0.379996), _metrics())
    # .255 / .3 = .85, less .000001 / .3 = .0000033
    slices = (_metrics(slice_ndcg=0.254999), _metrics(slice_ndcg=0.3))
    assert "(-15.0003 %, at most -15 %" in refused(*slices)
    # .397996 / .4 = .99499
    compressed = _compressed(0.397996, 0.2)
    assert "(-0.501 %, at most -0.5 %" in refused(compressed)
    shown = _metrics()
    shown["systems"]["bundle"] = _system(0.4, 0.049996)
    assert refused(shown).startswith("4.9996% of the catalogue shown, 5.0000% asked")
    below = _metrics(bundle=0.330039, user_frequency=0.33004)
    assert refused(below) == "ndcg@20 0.330039 against 0.330040."
    assert refused(_metrics(bundle=0.33)) == "ndcg@20 0.3300 against 0.3300."  # equal


def test_a_slice_may_not_fall_alone_unless_it_is_small():
    config = GatesConfig(max_slice_drop_percent=10, min_slice_moments=100)
    now, before = _metrics(slice_ndcg=0.26), _metrics(slice_ndcg=0.3)
    assert _failed(check_metrics(now, before, config)) == ["slice country = France"]
    small = _metrics(slice_ndcg=0.26, num_moments=99)
    assert _failed(check_metrics(small, before, config)) == []


def test_only_slices_of_all_items_that_were_measured_before_are_compared():
    def with_slices(ndcg, **last):
        metrics = _metrics(slice_ndcg=ndcg)
        metrics["slices"].append({**metrics["slices"][0], **last})
        return metrics

    before = with_slices(0.3, view="new")
    for now in (with_slices(0.3, value="Spain"), with_slices(0.3, view="new")):
        now["slices"][1]["systems"] = {"bundle": {"ndcg@20": {"value": 0.1}}}
        verdicts = check_metrics(now, before, GatesConfig())
        assert [v.gate for v in verdicts if v.gate.startswith("slice")] == [
            "slice country = France"
        ]
        assert _failed(verdicts) == []


def test_what_was_nothing_before_cannot_fall():
    now, before = _metrics(slice_ndcg=0.3), _metrics(slice_ndcg=0.0)
    verdicts = check_metrics(now, before, GatesConfig())
    assert _failed(verdicts) == []
    assert "last blessed 0.0000 (+0.0 %" in verdicts[-2].message


def test_the_last_model_measured_in_this_run_is_preferred():
    verdicts = check_metrics(
        _metrics(last_blessed=0.5), _metrics(bundle=0.1), GatesConfig()
    )
    assert _failed(verdicts) == ["holds the last blessed model's level"]


def test_another_test_period_is_not_compared():
    other = copy.deepcopy(_metrics(bundle=0.9))
    other["cutoff"] = 50
    verdicts = check_metrics(_metrics(), other, GatesConfig())
    assert _failed(verdicts) == []


def test_coverage_has_a_floor():
    verdicts = check_metrics(_metrics(), None, GatesConfig(min_coverage=0.5))
    assert _failed(verdicts) == ["covers the catalogue"]
    assert _failed(check_metrics(_metrics(), None, GatesConfig(min_coverage=0.4))) == []


def test_few_pages_need_not_cover_a_large_catalogue():
    # 5 pages of 20 show .1 of 1,000 items at most: half of that is asked.
    for coverage, failed in ((0.06, []), (0.04, ["covers the catalogue"])):
        metrics = _metrics(num_moments=5)
        metrics["systems"]["bundle"] = _system(0.4, coverage)
        verdicts = check_metrics(metrics, None, GatesConfig(min_coverage=0.5))
        assert _failed(verdicts) == failed
    text = next(v.message for v in verdicts if v.gate == "covers the catalogue")
    assert "`gates.min_coverage`" in text and "since 5 pages can show 10.0%" in text


def _compressed(all_items, new_items, before=(0.4, 0.2)):
    metrics = _metrics(bundle=all_items, uncompressed=before[0])
    for name, value in (("bundle", new_items), ("uncompressed", before[1])):
        metrics["systems"][name]["new"] = {"ndcg@20": {"value": value}}
    return metrics


@pytest.mark.parametrize(
    ("all_items", "new_items", "failed"),
    [
        (0.4, 0.2, []),
        (0.3981, 0.1991, []),  # -.48 % and -.45 %
        (0.41, 0.25, []),
        (0.3979, 0.2, ["compression holds ndcg@20, all items"]),  # -.53 %
        (0.4, 0.1989, ["compression holds ndcg@20, new items"]),  # -.55 %
    ],
)
def test_compression_may_cost_half_a_percent_of_either_view(
    all_items, new_items, failed
):
    verdicts = check_metrics(_compressed(all_items, new_items), None, GatesConfig())
    assert _failed(verdicts) == failed
    for verdict in verdicts:
        if not verdict.passed:
            assert "run without --compress" in verdict.message


def test_compression_is_not_judged_where_there_is_none_or_nobody_asks():
    def gates(metrics, **bounds):
        return [v.gate for v in check_metrics(metrics, None, GatesConfig(**bounds))]

    assert not any("compression" in gate for gate in gates(_metrics()))
    worse = _compressed(0.35, 0.1)
    assert not any(
        "compression" in gate
        for gate in gates(worse, max_compression_drop_percent=None)
    )


def test_a_slice_has_a_bound_of_its_own():
    # -10 %: more than a model may fall (5), less than a slice may (15).
    now, before = _metrics(slice_ndcg=0.27), _metrics(slice_ndcg=0.3)
    assert _failed(check_metrics(now, before, GatesConfig())) == []


def test_another_primary_metric_is_not_compared():
    other = copy.deepcopy(_metrics())
    other["primary_metric"] = "recall@20"
    for system in other["systems"].values():
        system["all"] = {"recall@20": {"value": 0.9}}
    verdicts = check_metrics(_metrics(), other, GatesConfig())
    assert "another test" in next(v for v in verdicts if v.skipped).message
