"""A scatter plot of named points as an SVG that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _MARGIN = 760, 420, 60


class Dot(NamedTuple):
    """One point; its radius grows with `weight`."""

    label: str
    x: float
    y: float
    weight: float
    strong: bool


def scatter(dots: Sequence[Dot], *, x: str, y: str, floor: float | None = None) -> str:
    """The SVG's text; `floor` draws a dashed line at that y."""
    heights = [dot.y for dot in dots] + ([] if floor is None else [floor])
    span_x = _span([0.0, *(dot.x for dot in dots)])
    span_y = _span(heights)
    heaviest = max(dot.weight for dot in dots)

    def at(px: float, py: float) -> tuple[float, float]:
        across = (px - span_x[0]) / (span_x[1] - span_x[0])
        up = (py - span_y[0]) / (span_y[1] - span_y[0])
        inner_x, inner_y = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
        return _MARGIN + across * inner_x, _HEIGHT - _MARGIN - up * inner_y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_WIDTH / 2, _HEIGHT - 14, x, "middle"),
        _text(14, 24, y, "start"),
    ]
    for i in range(5):
        tick_x = span_x[0] + i * (span_x[1] - span_x[0]) / 4
        tick_y = span_y[0] + i * (span_y[1] - span_y[0]) / 4
        parts.append(_text(at(tick_x, 0)[0], _HEIGHT - _MARGIN + 18, f"{tick_x:.3g}"))
        parts.append(_text(_MARGIN - 8, at(0, tick_y)[1] + 4, f"{tick_y:.3g}", "end"))
    if floor is not None:
        height = at(0, floor)[1]
        parts.append(
            f'<line x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{height:.1f}" '
            f'y2="{height:.1f}" stroke="#999" stroke-dasharray="4 4"/>'
        )
    for dot in dots:
        left, top = at(dot.x, dot.y)
        radius = 4 + 8 * (dot.weight / heaviest)
        colour = "#c2410c" if dot.strong else "#2563eb"
        parts.append(
            f'<circle cx="{left:.1f}" cy="{top:.1f}" r="{radius:.1f}" fill="{colour}" '
            'fill-opacity=".6"/>'
        )
        parts.append(_text(left + radius + 3, top + 4, dot.label, "start"))
    return "\n".join([*parts, "</svg>", ""])


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.08 * ((high - low) or 1.0)
    return low - room, high + room


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
