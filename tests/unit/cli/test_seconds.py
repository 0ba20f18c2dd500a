from __future__ import annotations

import click
import pytest

from taskgate.cli.seconds import SECONDS


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
