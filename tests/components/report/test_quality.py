from __future__ import annotations

import pytest

from components.report.data import ReportData
from components.report.quality import quality, slices
from components.report.write import render
from tests.components.report.hand_metrics import metrics


@pytest.mark.parametrize(("moments", "whiskers"), [(1, 0), (4, 0), (5, 2)])
def test_slices_of_few_moments_have_no_whiskers(moments, whiskers):
    (entry,) = slices(metrics(slice_moments=moments))
    # the bundle and the best baseline
    assert entry["chart"].count("<circle") == 2
    assert entry["chart"].count('class="whisker') == whiskers


def test_a_view_of_few_moments_has_values_without_intervals():
    few, many = quality(metrics(num_moments=(4, 20)))
    assert few["rows"][0]["ranking"][0] == {"value": 0.4}
    assert few["rows"][1]["difference"] == {"value": pytest.approx(0.2)}
    assert few["by_k"][0]["cells"] == [{"value": 0.4}]
    assert "whisker" not in few["chart"]
    assert many["chart"].count('class="whisker') == 3  # one a system
    page = render(ReportData(shop="s", created=0, metrics=metrics(num_moments=(4, 4))))
    assert "<small>0.350" not in page and "+0.200</td>" in page


def test_a_view_without_moments_says_so_and_shows_no_zeros():
    found = metrics(bundle=0.0, popularity=0.0, width=0.0, num_moments=(30, 0))
    page = render(ReportData(shop="s", created=0, metrics=found))
    assert page.count("Not measured: there is no such moment.") == 1
    assert "All items, first 20 places" in page
    assert "Items new to the user, first 20 places" not in page


def test_the_page_says_who_was_measured_and_for_how_long():
    # JoinHistory makes moments of people with an event in the horizon only; in a shop
    # that logs purchases alone all of them bought something.
    figures = ("auc", "calibration_error", "mean_probability", "share_of_positives")
    some = {"pages": 9, "rows": 900, "positives": 3, "bins": []}
    held = metrics() | {"probabilities": dict.fromkeys(figures, 0.5) | some}
    bundle = {"splits": {"horizon_days": 39}}
    data = ReportData(shop="s", created=0, metrics=held, bundle=bundle)
    page = " ".join(render(data).split())
    assert "items with a purchase in the 39 days after it" in page
    assert "with an event in the 39 days after the cut-off" in page
    assert "whoever stayed away is not counted" in page
    data = ReportData(shop="s", created=0, metrics=held)  # of an older bundle
    assert "with an event after the cut-off" in " ".join(render(data).split())


def test_every_figure_system_and_slice_is_explained():
    found = metrics(slice_value="new")
    found["slices"][0]["feature"] = "returning"
    page = render(ReportData(shop="s", created=0, metrics=found))
    for name in ("NDCG", "Novelty, bits", "Exposure Gini", "popularity"):
        assert f'<td class="name">{name}</td><td class="muted">' in page
    (entry,) = slices(found)
    assert entry["meaning"].startswith("returning: bought at more than one time")
    assert entry["meaning"] in page


def test_probabilities_are_of_places_on_pages():
    figures = ("auc", "calibration_error", "mean_probability", "share_of_positives")
    found = dict.fromkeys(figures, 0.5) | {"pages": 1_000, "rows": 100_000}
    for positives, auc in ((75, "0.500"), (0, "—")):
        probabilities = found | {"positives": positives, "bins": []}
        held = metrics() | {"probabilities": probabilities}
        page = render(ReportData(shop="s", created=0, metrics=held))
        assert "On 100,000 places of 1,000 pages, each for somebody" in page
        assert f"{positives} of the places are right" in page
        # One class alone has no AUC.
        assert f"<dt>AUC</dt><dd>{auc}</dd>" in page
