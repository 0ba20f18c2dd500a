from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import TypeDecorator
from sqlalchemy.dialects import sqlite

from taskgate.store.database.columns import storable
from taskgate.store.lifecycle import FINAL, Outcome, Reason, State
from taskgate.store.record import Failure, RetryPolicy, Task
from taskgate.store.tables import attempts, tasks


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_that_a_database_can_hold_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udfff", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\ufeffa", "\ufeffa"),
    ],
)
def test_what_it_cannot_hold_is_replaced(text: str, stored: str) -> None:
    assert storable(text) == stored


@given(st.text(st.characters(categories=None)))
def test_what_is_stored_is_utf_8_without_nul(text: str) -> None:
    assert b"\0" not in storable(text).encode()


DIALECT = sqlite.dialect()


def stored(column: TypeDecorator[Any], value: Any) -> Any:
    return column.process_bind_param(value, DIALECT)


def read(column: TypeDecorator[Any], value: Any) -> Any:
    return column.process_result_value(value, DIALECT)


FAILURE = Failure(Reason.EXCEPTION, "m\ud800\0", "ValueError", "builtins", '["a"]', "File")
POLICY = RetryPolicy(max_attempts=3, max_backoff=0.5, non_retryable_errors=("a", "b"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", State.QUEUED),
        ("failure", FAILURE),
        ("retry_policy", POLICY),
        ("run_timeout", timedelta(seconds=0.25)),
        ("labels", {"b": "1", "a": "2"}),
        ("failure", None),
        ("run_timeout", None),
    ],
)
def test_what_is_read_is_what_was_written(column: str, value: Any) -> None:
    typed: Any = tasks.c[column].type
    again = read(typed, stored(typed, value))
    assert again == value
    assert type(again) is type(value)


def test_what_a_newer_taskgate_added_to_json_is_ignored() -> None:
    typed: Any = tasks.c.failure.type
    newer = json.loads(stored(typed, FAILURE)) | {"severity": {"level": 5}}
    assert read(typed, json.dumps(newer)) == FAILURE


def test_what_an_older_taskgate_did_not_write_has_its_default() -> None:
    assert read(tasks.c.retry_policy.type, "{}") == RetryPolicy()  # type: ignore[arg-type]
    older = '{"reason": "TIMED_OUT", "message": "m"}'
    assert read(tasks.c.failure.type, older) == Failure(Reason.TIMED_OUT, "m")  # type: ignore[arg-type]


def test_values_of_enums_that_a_newer_taskgate_wrote_keep_their_names() -> None:
    state: Any = read(tasks.c.state.type, "PAUSED")  # type: ignore[arg-type]
    outcome = read(attempts.c.outcome.type, "PREEMPTED")  # type: ignore[arg-type]
    failure = read(tasks.c.failure.type, '{"reason": "EVICTED", "message": ""}')  # type: ignore[arg-type]
    assert (state, outcome, failure.reason) == ("PAUSED", "PREEMPTED", "EVICTED")
    assert [type(value) for value in (state, outcome, failure.reason)] == [State, Outcome, Reason]
    assert (f"{state}", state.name, state in FINAL) == ("PAUSED", "PAUSED", False)
    assert stored(tasks.c.state.type, state) == "PAUSED"  # type: ignore[arg-type]
    assert "PAUSED" not in list(State)
    again = read(tasks.c.failure.type, stored(tasks.c.failure.type, failure))  # type: ignore[arg-type]
    assert again == failure


def test_each_field_of_a_task_is_a_column() -> None:
    assert {one.name for one in fields(Task)} - {column.name for column in tasks.c} == {
        "past_attempts"
    }
