from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from taskgate.cli.output.times import span
from taskgate.cli.times import SECONDS, WHEN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0.42, "0.4s"),
        (9.99, "10.0s"),
        (10, "10s"),
        (59.9, "59s"),
        (303, "5m03s"),
        (7500, "2h05m"),
        (353_000, "4d02h"),
    ],
)
def test_spans_are_short(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 10),
        ("10s", 10),
        ("0.5", 0.5),
        ("250ms", 0.25),
        ("1.5m", 90),
        ("2h", 7200),
        ("1D", 86400),
    ],
)
def test_a_duration_in_seconds(text: str, seconds: float) -> None:
    assert SECONDS.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "-1s", "1x", "1 2", "1e3", "nan", "inf"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a duration"):
        SECONDS.convert(text, None, None)


def test_what_no_duration_can_hold_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="is longer than"):
        SECONDS.convert("99999999999d", None, None)


def test_a_time_is_itself_or_how_long_ago_it_was() -> None:
    assert WHEN.convert("2026-11-22T10:00Z", None, None) == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert WHEN.convert("2026-11-22", None, None) == datetime(2026, 11, 22).astimezone(UTC)
    before = datetime.now(UTC) - timedelta(hours=2)
    assert before <= WHEN.convert("2h", None, None) < before + timedelta(minutes=1)


@pytest.mark.parametrize("text", ["soon", "-2h", "2026-13-01", "9999999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time such as"):
        WHEN.convert(text, None, None)
