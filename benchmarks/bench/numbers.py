"""Numbers as people read them."""

from __future__ import annotations

from bench.measurements import Spread


def short(value: float) -> str:
    """Three digits that say something, with commas."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_range(spread: Spread) -> str:
    """The median, with the lowest and the highest if there were several."""
    if spread.lowest == spread.highest:
        return short(spread.median)
    return f"{short(spread.median)} ({short(spread.lowest)} to {short(spread.highest)})"
