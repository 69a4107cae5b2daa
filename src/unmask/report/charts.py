"""Small charts as SVG text, which goes into a page as it is: no script, no font, no request.

Colours are CSS classes of the page (``s0`` to ``s7`` for series), so that light and dark both work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 42
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        name: For the legend; empty for none.
        points: ``x y`` in data units.
        style: CSS class, ``s0`` to ``s7`` or ``guide``.
        marks: Whether the points are marked; each then tells its values.
    """

    name: str
    points: Sequence[Point]
    style: str
    marks: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a chart.

    Attributes:
        label: What is measured.
        low: Left or lower end.
        high: Right or upper end.
        ticks: Where numbers stand.
        logarithmic: Equal ratios take equal room; then ``low`` must be above 0.
    """

    label: str
    low: float = 0.0
    high: float = 1.0
    ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between both ends, 0 to 1."""
        low, high, value = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)


UNIT = Axis("")


def round_axis(label: str, high: float) -> Axis:
    """From 0 to a round number at or above ``high``, with round ticks.

    >>> round_axis("loss", 1.83).ticks
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    step = 10.0 ** math.floor(math.log10(max(high, 1e-3) / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step * 5 >= high)
    count = max(1, math.ceil(high / step))
    return Axis(label, 0, step * count, [round(step * number, 6) for number in range(count + 1)])


def line_chart(series: Sequence[Series], x: Axis, y: Axis, *, title: str) -> str:
    """Lines over two axes.

    Args:
        series: From the back to the front.
        x: The axis below.
        y: The axis at the left.
        title: Read out to those who do not see the chart.

    >>> chart = line_chart([Series("a", [(0, 0), (1, 1)], "s0")], Axis("x"), Axis("y"), title="rising")
    >>> chart.startswith("<svg") and "<polyline" in chart
    True
    """
    parts = [_frame(x, y)]
    for one in series:
        places = [(_x(x, a), _y(y, b)) for a, b in one.points]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline class="line {one.style}" points="{line}"/>')
        if one.marks:
            parts += [
                f'<circle class="mark {one.style}" cx="{a:.1f}" cy="{b:.1f}" r="3.5">'
                f"<title>{_number(p)}, {_number(q)}</title></circle>"
                for (a, b), (p, q) in zip(places, one.points, strict=True)
            ]
    return _svg("".join(parts), title) + _legend([(one.name, one.style) for one in series if one.name])


def histogram(
    groups: Sequence[tuple[str, str, Sequence[float]]], x: Axis, *, title: str, bins: int = 20
) -> str:
    """How often values occur, in bars of each group side by side.

    Args:
        groups: Name, CSS class and values of each.
        x: The axis of the values.
        title: Read out to those who do not see the chart.
        bins: How many bars of each group.
    """
    counts = []
    for _, _, values in groups:
        row = [0] * bins
        for value in values:
            row[min(bins - 1, int(x.share(value) * bins))] += 1
        counts.append(row)
    top = max(max((max(row) for row in counts), default=1), 1)
    y = Axis("clips", 0, top, _whole_ticks(top))
    parts = [_frame(x, y)]
    slot = (WIDTH - _LEFT - _RIGHT) / bins
    bar = slot * 0.9 / len(groups)
    for number, ((name, style, _), row) in enumerate(zip(groups, counts, strict=True)):
        for place, count in enumerate(row):
            if count:
                left, upper = _LEFT + place * slot + number * bar + slot * 0.05, _y(y, count)
                parts.append(
                    f'<rect class="bar {style}" x="{left:.1f}" y="{upper:.1f}" width="{bar:.1f}" '
                    f'height="{HEIGHT - _BOTTOM - upper:.1f}"><title>{escape(name)}: {count}</title></rect>'
                )
    return _svg("".join(parts), title) + _legend([(name, style) for name, style, _ in groups])


def _whole_ticks(top: float) -> list[float]:
    step = max(1, math.ceil(top / 5))
    return [float(value) for value in range(0, math.floor(top) + 1, step)]


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.share(value) * (WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - _BOTTOM - axis.share(value) * (HEIGHT - _TOP - _BOTTOM)


def _frame(x: Axis, y: Axis) -> str:
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for tick in x.ticks:
        at = _x(x, tick)
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{floor}"/>')
        parts.append(f'<text x="{at:.1f}" y="{floor + 15}" text-anchor="middle">{_number(tick)}</text>')
    for tick in y.ticks:
        at = _y(y, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    middle = (_TOP + floor) / 2
    parts.append(
        f'<text x="{(_LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>'
    )
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">'
        f"{escape(y.label)}</text>"
    )
    return "".join(parts)


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    if not entries:
        return ""
    keys = "".join(f'<span><i class="key {style}"></i>{escape(name)}</span>' for name, style in entries)
    return f'<div class="legend">{keys}</div>'


def _svg(content: str, title: str) -> str:
    name = escape(title, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{content}</svg>'


def _number(value: float) -> str:
    return f"{value:.3g}"
