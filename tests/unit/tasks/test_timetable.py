"""When ticks are: cron expressions through the changes of clocks, and intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskgate.store.record import Timing
from taskgate.tasks import timetable

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(cron: str, zone: str, after: str, number: int) -> list[str]:
    found = timetable.next_ticks(Timing(cron=cron, zone=zone), at(after), number)
    return [f"{one:%m-%d %H:%M}" for one in found]


def test_in_utc() -> None:
    assert ticks("30 2 * * *", "UTC", "2026-03-28T02:30", 2) == ["03-29 02:30", "03-30 02:30"]
    assert ticks("@daily", "UTC", "2026-03-28T02:30", 1) == ["03-29 00:00"]
    assert ticks("0 9 * * mon#1", "UTC", "2026-03-01", 2) == ["03-02 09:00", "04-06 09:00"]
    [tick] = timetable.next_ticks(Timing(cron="*/20 * * * * *"), at("2026-01-01"), 1)
    assert tick == at("2026-01-01T00:00:20")


def test_clocks_are_put_forward() -> None:
    """On March 29, 2026 there is no 02:30 in Berlin: it comes right after the gap, once."""
    assert ticks("30 2 * * *", BERLIN, "2026-03-28T00:00", 3) == [
        "03-28 01:30",
        "03-29 01:00",
        "03-30 00:30",
    ]
    assert ticks("0 * * * *", BERLIN, "2026-03-29T00:00", 2) == ["03-29 01:00", "03-29 02:00"]


def test_clocks_are_put_back() -> None:
    """On October 25, 2026 there are two 02:30 in Berlin: a fixed time comes at the first one."""
    assert ticks("30 2 * * *", BERLIN, "2026-10-25T00:00", 2) == ["10-25 00:30", "10-26 01:30"]
    # Asked for between the two.
    assert ticks("30 2 * * *", BERLIN, "2026-10-25T01:10", 1) == ["10-26 01:30"]
    every_half_hour = ticks("*/30 * * * *", BERLIN, "2026-10-25T00:00", 3)
    assert every_half_hour == ["10-25 00:30", "10-25 01:00", "10-25 01:30"]


@given(
    st.sampled_from(["30 2 * * *", "0 */6 * * *", "15 * * * *", "0 3 * * sun", "*/7 1-4 * * *"]),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "UTC"]),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30)),  # noqa: DTZ001 - UTC comes next
)
def test_backwards_is_forwards(cron: str, zone: str, moment: datetime) -> None:
    timing, start = Timing(cron=cron, zone=zone), moment.replace(tzinfo=UTC)
    coming = timetable.next_ticks(timing, start, 10)
    assert coming == sorted(set(coming))
    assert start < coming[0]
    back = list(islice(timetable.backwards(timing, coming[-1]), 10))
    assert back == coming[::-1]
    one_by_one = [start]
    for _ in coming:
        one = timetable.next_tick(timing, one_by_one[-1])
        assert one is not None
        one_by_one.append(one)
    assert one_by_one[1:] == coming


def test_intervals() -> None:
    anchor = at("2026-01-01T00:00:00")
    timing = Timing(interval=90.0)
    first, second = timetable.next_ticks(timing, anchor, 2)
    assert (first - anchor, second - anchor) == (timedelta(seconds=90), timedelta(seconds=180))
    between = anchor + timedelta(seconds=100)
    assert next(timetable.backwards(timing, between)) == first
    assert next(timetable.backwards(timing, first)) == first


def test_a_day_that_never_comes() -> None:
    assert timetable.next_tick(Timing(cron="0 0 30 2 1"), at("2026-01-01")) is not None
    with pytest.raises(ValueError, match="day-of-month"):
        timetable.check_cron("0 0 30 2 *")


@pytest.mark.parametrize("cron", ["", "* * * *", "61 * * * *", "a b c d e", "* * * * * * *"])
def test_what_is_no_expression(cron: str) -> None:
    with pytest.raises(ValueError, match=r"Bad|Wrong"):
        timetable.check_cron(cron)


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "Europe", "\0"])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no IANA time zone"):
        timetable.zone(name)
