from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from taskgate.tasks.attempt import Attempt, running
from taskgate.tasks.logs import formatting
from taskgate.tasks.logs.formatting import JsonFormatter, WithContext

TEXT = WithContext(logging.Formatter("%(levelname)s %(message)s"))


def record(message: str, *args: Any, name: str = "shop", **extra: Any) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.WARNING, __file__, 1, message, args, None, extra=extra
    )


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "_providers", [lambda: {"caller": "alice"}])


def test_nothing_is_added_where_there_is_nothing_to_say() -> None:
    assert TEXT.format(record("a message")) == "WARNING a message"


@pytest.mark.usefixtures("caller")
def test_what_it_is_about_ends_the_first_line() -> None:
    assert TEXT.format(record("a\nb")) == "WARNING a [caller=alice]\nb"
    assert TEXT.format(record("by alice")) == "WARNING by alice"


@pytest.mark.usefixtures("caller")
def test_json_has_it_and_what_the_record_carries() -> None:
    line = json.loads(JsonFormatter().format(record("%d %s", 1, "x\ny", order=7, odd=object())))
    assert line["message"] == "1 x\ny"
    assert (line["level"], line["logger"], line["caller"]) == ("WARNING", "shop", "alice")
    assert line["order"] == 7
    assert line["odd"].startswith("<object")
    assert line["time"].endswith("Z")
    assert not {"args", "msg", "levelno", "exc_info"} & set(line)


def test_an_exception_is_one_line_of_json() -> None:
    failed = record("failed")
    failed.exc_info = (ValueError, ValueError("no"), None)
    text = JsonFormatter().format(failed)
    assert "\n" not in text
    assert json.loads(text)["exception"].endswith("ValueError: no")


def test_our_lines_about_a_task_name_it() -> None:
    ours = record("task %s waits", "an-id", name="taskgate.store")
    assert json.loads(JsonFormatter().format(ours))["task_id"] == "an-id"
    assert TEXT.format(ours) == "WARNING task an-id waits"
    theirs = record("task %s waits", "an-id")
    assert "task_id" not in json.loads(JsonFormatter().format(theirs))
    assert "task_id" not in json.loads(JsonFormatter().format(record("x", name="taskgate.store")))


def test_messages_that_are_no_text(caplog: pytest.LogCaptureFixture) -> None:
    odd = record("x")
    odd.msg, odd.name = ValueError("no"), "taskgate.store"
    assert json.loads(JsonFormatter().format(odd))["message"] == "no"


def test_an_attempt_that_is_not_claimed_says_nothing() -> None:
    attempt = Attempt(None, "an-id")  # type: ignore[arg-type]
    with running(attempt):
        assert TEXT.format(record("x")) == "WARNING x"
