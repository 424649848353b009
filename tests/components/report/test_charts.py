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
