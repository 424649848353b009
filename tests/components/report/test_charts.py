from __future__ import annotations

import re

import pytest

from components.report.charts import (
    Point,
    Series,
    axis_ticks,
    interval_chart,
    line_chart,
    reliability_chart,
)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 0.4, [0.0, 0.1, 0.2, 0.3, 0.4]),
        (0.0, 0.09, [0.0, 0.02, 0.04, 0.06, 0.08]),
        (3.1, 8.2, [4.0, 6.0, 8.0]),
        (2.0, 2.0, [2.0]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    assert axis_ticks(low, high) == expected


def _numbers(svg, attribute):
    return [float(v) for v in re.findall(rf'{attribute}="([\d.]+)"', svg)]


def test_dots_stand_in_proportion_to_their_values():
    svg = interval_chart(
        [[Point("a", 0.2, 0.1, 0.3, strong=True)], [Point("b", 0.4, 0.4, 0.4)]]
    )
    zero = _numbers(svg, "x1")[0]  # the grid line of tick 0
    first, second = _numbers(svg, "cx")
    assert second - zero == pytest.approx(2 * (first - zero), abs=0.2)


def test_labels_are_escaped():
    svg = interval_chart([[Point("<b>&", 0.2, 0.1, 0.3)]])
    assert "<b>" not in svg
    assert "&lt;b&gt;&amp;" in svg


LONG = "United Kingdom of Great Britain and Northern Ireland (1,388)"


def test_a_long_label_is_shortened_to_its_place_and_keeps_its_count():
    svg = interval_chart([[Point(LONG, 0.2, 0.1, 0.3)], [Point("Eire (9)", 0.1)]])
    (long, short) = re.findall(r'text-anchor="end"[^>]*>(.*?)</text>', svg)
    whole, shown = re.fullmatch(r"<title>(.*)</title>(.*)", long).groups()
    assert whole == LONG
    assert re.fullmatch(r"United Kingdom.*… \(1,388\)", shown)
    # It ends at 190; letters of 13 px are at least 6 px wide on average.
    assert 6 * len(shown) < 190
    assert short == "Eire (9)"  # no tooltip where nothing is left out


def test_wide_letters_take_their_own_room():
    svg = interval_chart([[Point("大不列颠及北爱尔兰联合王国" * 2, 0.2)]])
    shown = re.search(r"</title>(.*?)</text>", svg).group(1)
    assert 10 <= len(shown) <= 190 / 13


def test_lines_fall_when_the_loss_does_and_nan_needs_no_axis():
    svg = line_chart([Series("loss", [1, 2, 3], [3.0, 2.0, 1.5])], title="loss")
    points = re.search(r'points="([^"]+)"', svg).group(1).split()
    heights = [float(p.split(",")[1]) for p in points]
    assert heights == sorted(heights)  # SVG's y grows downwards
    assert line_chart([], title="none") == ""


def test_a_curve_of_no_numbers_has_no_picture():
    nothing = Series("loss", (1, 2), (float("nan"), float("inf")))
    assert line_chart([nothing], title="t") == ""
    some = Series("loss", (1, 2, 3), (float("nan"), 2.0, 1.0))
    assert "nan," not in line_chart([some, nothing], title="t")


def test_reliability_has_a_dot_per_bin():
    svg = reliability_chart([[0.1, 0.12, 10], [0.4, 0.35, 10]])
    assert svg.count("<circle") == 2
