from __future__ import annotations

from components.report.data import ReportData
from components.report.tiles import tiles
from tests.components.report.hand_metrics import metrics


def _tiles(**changed):
    found = tiles(ReportData(shop="s", created=0, metrics=metrics(**changed)))
    return [(tile["label"], tile["value"], tile["note"]) for tile in found]


def test_means_have_intervals_and_the_gain_is_a_share():
    everything, new, gain, coverage = _tiles()
    assert everything == ("NDCG@20, all items", "0.400", "0.350 to 0.450")
    assert new == ("NDCG@20, items new to the user", "0.400", "0.350 to 0.450")
    # 0.4 is twice 0.2
    assert gain == ("over popularity", "+100.0%", "the best baseline, all items")
    assert coverage[1] == "50%"


def test_a_view_without_moments_has_no_value():
    _, new, *_ = _tiles(num_moments=(30, 0))
    assert new[1:] == ("—", "there is no such moment")


def test_few_moments_have_no_interval():
    for moments, said in ((1, "1 moment"), (4, "4 moments")):
        everything, *_ = _tiles(num_moments=(moments, moments), width=0.0)
        assert everything[1:] == ("0.400", f"{said}, too few for an interval")
    assert _tiles(num_moments=(5, 5))[0][2] == "0.350 to 0.450"


def test_a_gain_over_nothing_is_a_difference():
    _, _, gain, _ = _tiles(bundle=0.403, popularity=0.0)
    assert gain == ("over popularity", "+0.403", "NDCG@20; every baseline has 0")


def test_search_without_judged_searches_has_no_tile():
    graded = {"num_searches": 0, "systems": {"bundle": {"ndcg@10": {"value": 0.0}}}}
    search = {"primary_metric": "ndcg@10", "judged": {"graded": graded}}
    assert tiles(ReportData(shop="s", created=0, search=search)) == []
