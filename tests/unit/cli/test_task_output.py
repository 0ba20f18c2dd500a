from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from taskgate.cli.output import task as render
from taskgate.cli.output.as_json import task_as_json
from taskgate.client import Task
from taskgate.client.task import task_from_message
from taskgate.v1 import task_pb2

BIG = 2**53 + 1


def _task(**fields: object) -> Task:
    message = task_pb2.Task(
        id="0199",
        task_type="demo.echo",
        state=task_pb2.TASK_STATE_SUCCEEDED,
        arguments_json=json.dumps({"args": [BIG, "[bold]ü"], "kwargs": {"x": None}}),
        result_json=str(BIG),
        labels={"team": "web"},
        **fields,  # type: ignore[arg-type]
    )
    start = datetime(2026, 11, 22, tzinfo=UTC)
    message.create_time.FromDatetime(start)
    message.start_time.FromDatetime(start)
    message.finish_time.FromDatetime(start + timedelta(seconds=1.5))
    return task_from_message(message)


def test_json_has_exact_numbers_and_times() -> None:
    values = json.loads(task_as_json(_task()))
    assert values["result"] == BIG
    assert values["args"] == [BIG, "[bold]ü"]
    assert values["kwargs"] == {"x": None}
    assert values["state"] == "SUCCEEDED"
    assert values["finish_time"] == "2026-11-22T00:00:01.500000Z"
    assert values["expire_time"] is None


def test_people_see_what_was_sent_as_it_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_task(_task())
    shown = capsys.readouterr().out
    assert shown.startswith(f'demo.echo({BIG}, "[bold]ü", x=null) SUCCEEDED\n')
    assert f"result     {BIG}\n" in shown
    assert "(ran 1.50 s)" in shown
    assert "team=web" in shown


def test_long_values_are_neither_wrapped_nor_cut(capsys: pytest.CaptureFixture[str]) -> None:
    task = _task(error=task_pb2.TaskError(type="builtins.ValueError", message="x" * 500))
    render.print_task(task)
    assert "ValueError: " + "x" * 500 + "\n" in capsys.readouterr().out


def test_a_task_cannot_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;title\x07\x1b[31m"
    error = task_pb2.TaskError(type=evil, message=evil, traceback=f"line 1\n{evil}")
    render.print_task(_task(error=error, abort=task_pb2.Abort(reason=evil)))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "line 1\n\\x1b]0;title" in shown
