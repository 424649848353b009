"""Small SVG charts that follow the page's colours, light and dark."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape


class Point(NamedTuple):
    """A value, with its interval where it has one; `strong` marks the bundle."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    strong: bool = False


class Series(NamedTuple):
    """A named line; `hue` (0 to 3) is its colour, the same in every chart of a card."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    hue: int = 0


def interval_chart(rows: Sequence[Sequence[Point]], *, width: int = 430) -> Markup:
    """Dots, with whiskers where there are intervals, on an axis that starts at zero.

    Each row holds one point, or several that share the first one's label. A label too
    long for its place is shortened, its count in brackets kept; a tooltip has it whole.
    """
    points = [p for row in rows for p in row]
    step = 24 + 16 * (max((len(row) for row in rows), default=1) - 1)
    widest = max((_label_width(row[0].label) for row in rows), default=0.0)
    left = min(200.0, 24 + widest)
    right, top = 62, 6
    top_value = max([p.high or p.value for p in points] + [1e-9])
    ticks = axis_ticks(0.0, top_value)
    scale = (width - left - right) / max(ticks[-1], top_value)
    height = top + step * len(rows) + 24
    parts = [_grid(left + t * scale, top, height - 22, _tick(t)) for t in ticks]
    for number, row in enumerate(rows):
        y = top + step * number + step / 2
        strong = any(p.strong for p in row)
        style = "strong" if strong and len(row) == 1 else "plain"
        shown = _fitted(row[0].label, left - 14)
        parts.append(_text(left - 10, y, shown, "end", style, row[0].label))
        for place, point in enumerate(row):
            shift = 15.0 * (place - (len(row) - 1) / 2)
            parts += _whisker(point, left, scale, y + shift)
    return _svg(width, height, parts, "Values with confidence intervals")


def _whisker(point: Point, left: float, scale: float, y: float) -> list[str]:
    style = "strong" if point.strong else "weak"
    middle = end = left + point.value * scale
    parts = []
    if point.low is not None and point.high is not None:
        low, high = left + point.low * scale, left + point.high * scale
        parts.append(_line(low, y, high, y, f"whisker {style}"))
        end = max(high, middle)
    return [
        *parts,
        f'<circle class="dot {style}" cx="{middle:.1f}" cy="{y:.1f}" r="4"/>',
        _text(end + 8, y, f"{point.value:.3f}", "start", style),
    ]


def line_chart(
    series: Sequence[Series], *, title: str, width: int = 360, height: int = 190
) -> Markup:
    """Lines over epochs, the last value written at the end of each."""
    left, right, top, bottom = 46, 54, 10, 24
    # A curve that is no number anywhere, of a fit that diverged, has no picture.
    lines = [s for s in series if any(map(math.isfinite, s.y))]
    if not lines:
        return Markup("")
    ys = [v for s in lines for v in s.y if math.isfinite(v)]
    xs = [v for s in lines for v in s.x]
    low, high = min(ys), max(ys)
    margin = (high - low or abs(high) or 1.0) * 0.08
    low, high = low - margin, high + margin
    x_low, x_high = min(xs), max(xs)
    across = (width - left - right) / ((x_high - x_low) or 1.0)
    up = (height - top - bottom) / (high - low)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (x - x_low) * across, height - bottom - (y - low) * up

    parts = []
    for tick in [t for t in axis_ticks(low, high, 4) if low <= t <= high]:
        y = place(x_low, tick)[1]
        parts.append(_line(left, y, width - right, y, "grid"))
        parts.append(_text(left - 6, y, _tick(tick), "end", "tick"))
    for x in sorted({x_low, x_high}):
        parts.append(_text(place(x, low)[0], height - 8, f"{x:g}", "middle", "tick"))
    for line in lines:
        points = zip(line.x, line.y, strict=True)
        pairs = [place(x, y) for x, y in points if math.isfinite(y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
        hue = f"c{line.hue % 4}"
        parts.append(f'<polyline class="curve {hue}" points="{path}"/>')
        x, y = pairs[-1]
        parts.append(f'<circle class="end {hue}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(_text(x + 7, y, f"{line.y[-1]:.3g}", "start", hue))
    return _svg(width, height, parts, title)


def reliability_chart(
    bins: Sequence[Sequence[float]], *, width: int = 400, height: int = 220
) -> Markup:
    """Mean probability against share of positives: a dot per bin, and the diagonal."""
    left, bottom, top, right = 44, 34, 8, 12
    top_value = max([max(b[0], b[1]) for b in bins] + [1e-6])
    ticks = axis_ticks(0.0, top_value, 4)
    limit = max(ticks[-1], top_value)
    scale = (width - left - right) / limit
    base = height - bottom
    rise = (base - top) / limit
    parts = [_line(left, base, left + limit * scale, base - limit * rise, "diagonal")]
    for tick in ticks:
        y = base - tick * rise
        parts.append(_line(left, y, width - right, y, "grid"))
        parts.append(_text(left - 6, y, _tick(tick), "end", "tick"))
        parts.append(
            _text(left + tick * scale, base + 12, _tick(tick), "middle", "tick")
        )
    points = [(left + p * scale, base - s * rise) for p, s, *_ in bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(f'<polyline class="curve c0" points="{path}"/>')
    parts += [
        f'<circle class="dot strong" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
        for x, y in points
    ]
    middle = left + (width - left - right) / 2
    parts.append(_text(middle, height - 6, "predicted", "middle", "tick"))
    return _svg(width, height, parts, "Calibration: predicted against observed")


def axis_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from at or above `low` to at or below `high`, at most count + 2."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)] or [low]


def _svg(width: float, height: float, parts: Sequence[str], label: str) -> Markup:
    head = (
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(label)}" style="max-width:{1.2 * width:.0f}px">'
    )
    return Markup(head + "".join(parts) + "</svg>")


def _grid(x: float, top: float, bottom: float, label: str) -> str:
    line = _line(x, top, x, bottom, "grid")
    return line + _text(x, bottom + 12, label, "middle", "tick")


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return (
        f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" '
        f'x2="{x2:.1f}" y2="{y2:.1f}"/>'
    )


def _text(
    x: float, y: float, text: str, anchor: str, style: str, whole: str = ""
) -> str:
    """`text` at a place; a tooltip says the whole where it is shortened."""
    tip = f"<title>{escape(whole)}</title>" if whole not in ("", text) else ""
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'dominant-baseline="middle">{tip}{escape(text)}</text>'
    )


def _fitted(label: str, room: float) -> str:
    """The label, or as much of it as `room` holds; a count in brackets stays whole."""
    if _label_width(label) <= room:
        return label
    count = re.search(r"( \([\d,]+\))?$", label)
    end = "…" + (count.group() if count else "")
    kept = label[: count.start()] if count else label
    while kept and _label_width(kept + end) > room:
        kept = kept[:-1]
    return kept.rstrip() + end


def _label_width(text: str) -> float:
    """About how wide a label of 13 pixels is, rather too wide than too narrow."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 13.0
    if letter in "mwMW%@…":
        return 12.0
    return 9.0 if letter.isupper() else 7.0


def _tick(value: float) -> str:
    return f"{value:.3g}"
