from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from taskgate.server.errors import InvalidRequest, Violations
from taskgate.server.requests import fields

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
INT32 = st.integers(min_value=-(2**31), max_value=2**31 - 1)


def is_refused(violations: Violations) -> bool:
    try:
        violations.raise_if_any()
    except InvalidRequest as exc:
        return [violation.field for violation in exc.violations] == ["f"]
    return False


@given(INT64, INT32)
def test_any_duration_is_taken_exactly_or_refused(seconds: int, nanos: int) -> None:
    violations = Violations()
    length = fields.duration(Duration(seconds=seconds, nanos=nanos), "f", violations)
    if not is_refused(violations):
        assert timedelta(0) <= length <= fields.MAX_DURATION
        assert length == timedelta(seconds=seconds, microseconds=nanos // 1000)


@given(st.timedeltas(min_value=timedelta(0), max_value=fields.MAX_DURATION))
def test_every_sound_duration_is_taken(length: timedelta) -> None:
    message = Duration()
    message.FromTimedelta(length)
    violations = Violations()
    assert fields.duration(message, "f", violations) == length
    assert not is_refused(violations)


@given(INT64, INT32)
def test_any_time_is_taken_or_refused(seconds: int, nanos: int) -> None:
    violations = Violations()
    time = fields.timestamp(Timestamp(seconds=seconds, nanos=nanos), "f", violations)
    assert is_refused(violations) or time <= fields.LATEST_TIME


@given(st.datetimes(max_value=datetime(2999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_sound_time_is_taken(time: datetime) -> None:
    message = Timestamp()
    message.FromDatetime(time)
    violations = Violations()
    assert fields.timestamp(message, "f", violations) == time
    assert not is_refused(violations)


@pytest.mark.parametrize("nanos", [0, 1])
def test_nothing_is_refused_where_nothing_makes_no_sense(nanos: int) -> None:
    violations = Violations()
    fields.duration(Duration(nanos=nanos), "f", violations, zero=False)
    assert is_refused(violations) is (nanos == 0)
