from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from taskgate.cli.output import task as render
from taskgate.cli.output.terminal import json_text
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
    values = json.loads(json_text(render.fields_of(_task(), full=True)))
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


OWN = '  File "/home/ann/reports.py", line 7, in monthly\n    return 1 / 0\n           ~~^~~\n'
INNER = """\
  File "/venv/lib/python3.13/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/venv/lib/python3.13/site-packages/taskgate/tasks/task.py", line 90, in __call__
    return super().__call__(*args, **kwargs)
"""
HEAD, TAIL = "Traceback (most recent call last):\n", "ZeroDivisionError: division by zero"


def test_a_traceback_on_the_screen_is_the_tasks_own(capsys: pytest.CaptureFixture[str]) -> None:
    error = task_pb2.TaskError(type="builtins.E", traceback=HEAD + INNER + OWN + TAIL)
    render.print_task(_task(error=error))
    shown = capsys.readouterr().out
    assert HEAD + OWN + TAIL in shown
    assert "(2 frames of taskgate and Celery: see them with -v)" in shown
    render.print_task(_task(error=error), all_frames=True)
    assert HEAD + INNER + OWN + TAIL in capsys.readouterr().out


@pytest.mark.parametrize("traceback", ["", "no frames", HEAD + OWN + TAIL, HEAD + INNER + TAIL])
def test_a_traceback_that_would_lose_all_or_nothing_stays(traceback: str) -> None:
    assert render.without_inner_frames(traceback) == traceback


def test_frames_of_chained_errors_and_repeated_lines_go_too() -> None:
    again = f"\n\nDuring handling of the above exception, another occurred:\n\n{HEAD}{OWN}{TAIL}"
    repeated = INNER + "  [Previous line repeated 3 more times]\n"
    shown = render.without_inner_frames(HEAD + repeated + OWN + TAIL + again)
    assert shown.startswith(HEAD + OWN + TAIL + again)


def test_the_demo_tasks_own_frames_stay() -> None:
    demo = '  File "/venv/lib/python3.13/site-packages/taskgate/tasks/demo.py", line 7, in fail\n'
    assert render.without_inner_frames(HEAD + INNER + demo + TAIL).startswith(HEAD + demo + TAIL)


def test_a_value_of_many_lines_does_not_look_like_rows(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_task(_task(abort=task_pb2.Abort(reason="x\n  result     1")))
    assert "\n               result     1\n" in capsys.readouterr().out
