"""Plots as SVG: a bar for each contestant, with a line from its lowest value to its highest."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bench.measurements import Row, Spread
from bench.numbers import short

_NAMESPACE = "http://www.w3.org/2000/svg"
_WIDTH = 760
_LEFT = 250
_RIGHT = 90
_BAR = 20
_STEP = 26
_TITLE = 34
_OURS, _OTHERS = "#2f6fb3", "#9aa5b1"


def bars(row: Row) -> str:
    """The row as a plot that reads on any background."""
    spreads = {name: row.spread(name) for name in row.contestants}
    height = _TITLE + _STEP * len(spreads) + 8
    most = max(spread.highest for spread in spreads.values()) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    lines = [
        f'<svg xmlns="{_NAMESPACE}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}">',
        "<style>text { font: 13px sans-serif; fill: #222222 }</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(10, 21, f"{row.title} ({row.unit})", weight="bold"),
    ]
    for number, (name, spread) in enumerate(spreads.items()):
        colour = _OURS if number == 0 else _OTHERS
        lines.extend(_bar(_TITLE + number * _STEP, name, spread, scale, colour))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(top: int, name: str, spread: Spread, scale: float, colour: str) -> Iterator[str]:
    middle = top + _BAR // 2
    yield _text(_LEFT - 8, middle + 5, name, anchor="end")
    width = spread.median * scale
    yield f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
    low, high = (_LEFT + value * scale for value in (spread.lowest, spread.highest))
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#333333" stroke-width="2"/>'
    yield _text(int(max(high, _LEFT + width)) + 8, middle + 5, short(spread.median))


def _text(x: int, y: int, text: str, *, weight: str = "normal", anchor: str = "start") -> str:
    attributes = f'x="{x}" y="{y}" style="font-weight: {weight}" text-anchor="{anchor}"'
    return f"<text {attributes}>{escape(text)}</text>"
