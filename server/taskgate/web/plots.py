"""Plots as SVG, made here: they need no script, and print as they are.

Colours are the style sheet's; a plot only says what a shape is. Every number is ours, so nothing
in the markup can be a user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

WIDTH, HEIGHT = 120, 24
_TIMELINE_WIDTH, _BAR, _GAP = 1000.0, 14, 6
_LEAST = 3.0
"""So that what took no time can be seen."""


def sparkline(values: Sequence[float], capacity: int, label: str) -> Markup:
    """The values over time, the newest at the right edge; ``capacity`` of them fill the width."""
    if not values:
        return Markup("")
    top = max(*values, 1)
    step = WIDTH / max(capacity - 1, 1)
    left = WIDTH - step * (len(values) - 1)
    points = [
        f"{left + index * step:.0f} {HEIGHT - 1 - value / top * (HEIGHT - 3):.0f}"
        for index, value in enumerate(values)
    ]
    line = "M" + "L".join(points)
    area = f"{line}L{WIDTH} {HEIGHT}L{left:.0f} {HEIGHT}Z"
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" '
        'preserveAspectRatio="none"><path class="area" d="{area}"/>'
        '<path class="line" d="{line}" vector-effect="non-scaling-stroke"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, label=label, area=area, line=line)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a timeline."""

    kind: str
    """Its class in the style sheet."""
    begin: datetime
    end: datetime
    title: str


def timeline(bars: Sequence[Bar], label: str) -> Markup:
    """The bars on one scale, each on a line of its own."""
    if not bars:
        return Markup("")
    first = min(bar.begin for bar in bars)
    length = (max(bar.end for bar in bars) - first).total_seconds() or 1.0
    height = len(bars) * (_BAR + _GAP)
    shapes = Markup("").join(_bar(bar, index, first, length) for index, bar in enumerate(bars))
    return Markup(
        '<svg class="timeline" viewBox="0 0 {w:.0f} {h}" height="{h}" role="img" '
        'aria-label="{label}" preserveAspectRatio="none">{shapes}</svg>'
    ).format(w=_TIMELINE_WIDTH, h=height, label=label, shapes=shapes)


def _bar(bar: Bar, index: int, first: datetime, length: float) -> Markup:
    x = (bar.begin - first).total_seconds() / length * _TIMELINE_WIDTH
    width = (bar.end - bar.begin).total_seconds() / length * _TIMELINE_WIDTH
    x = min(x, _TIMELINE_WIDTH - _LEAST)
    return Markup(
        '<rect class="bar {kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{h}">'
        "<title>{title}</title></rect>"
    ).format(
        kind=escape(bar.kind),
        x=x,
        y=index * (_BAR + _GAP) + _GAP // 2,
        width=max(width, _LEAST),
        h=_BAR,
        title=bar.title,
    )
