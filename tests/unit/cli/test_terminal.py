"""No text of a task, a caller or a server reaches a terminal raw, wherever it stands."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text

from taskgate.cli.commands import list_tasks, task_types, watch, workers
from taskgate.cli.exits import CommandError
from taskgate.cli.output.bars import TextColumn, bar_fields, bars
from taskgate.cli.output.errors import report
from taskgate.cli.output.tables import print_table
from taskgate.cli.output.task import fields_of, print_task
from taskgate.cli.output.terminal import console, json_text, safe, safe_text, write, write_json
from taskgate.client import (
    Abort,
    Page,
    Parameter,
    ParameterKind,
    Progress,
    State,
    Task,
    TaskError,
    TaskType,
    Worker,
    WorkerState,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNSAFE = "\x00\x07\b\r\x1b\x7f\x80\x85\x9b\x9d\xad\u061c\u200b\u200e\u2028\u2029\u202e\u2066\ufeff"
TEXTS = st.text(st.sampled_from(f"{UNSAFE}aü\u3000\u00a0\n\t[]") | st.characters(), max_size=8)
JSON = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
TASKS = st.builds(
    Task,
    id=TEXTS,
    task_type=TEXTS,
    state=st.sampled_from(State),
    queue=TEXTS,
    args=st.lists(JSON, max_size=2),
    kwargs=st.dictionaries(TEXTS, JSON, max_size=2),
    labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
    attempt=st.just(2),
    max_attempts=st.just(3),
    attempts=st.just(()),
    **dict.fromkeys(("create_time", "start_time", "finish_time"), st.just(NOW)),
    **dict.fromkeys(("schedule_time", "expire_time", "run_timeout", "retry_policy"), st.none()),
    progress=st.builds(Progress, st.just(1.0), st.none(), TEXTS),
    result=JSON,
    error=st.builds(TaskError, TEXTS, TEXTS, TEXTS, TEXTS),
    abort=st.builds(Abort, st.just(NOW), TEXTS, TEXTS, st.none()),
    retry_of=TEXTS,
    root_id=TEXTS,
    worker=TEXTS,
)
PARAMETERS = st.builds(
    Parameter, TEXTS, st.sampled_from(ParameterKind), st.booleans(), st.dictionaries(TEXTS, JSON)
)


def _is_raw(text: str) -> bool:
    """Whether a terminal might obey it, or lines end where none should."""
    return any(
        (character not in "\n\t\u200c\u200d" and unicodedata.category(character)[0] == "C")
        or unicodedata.category(character) in {"Zl", "Zp"}
        for character in text
    )


@pytest.fixture(params=["pipe", "terminal"])
def output(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> pytest.CaptureFixture[str]:
    if request.param == "terminal":  # a dumb one: there every escape sequence is a fault
        for name, value in {"FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "60"}.items():
            monkeypatch.setenv(name, value)
    return capsys


def _show_all(task: Task, parameter: Parameter, text: str) -> None:
    print_task(task)
    print_task(task, all_frames=True)
    list_tasks._show_table(Page((task,), ""), 0, list_tasks._How(full=True, verbose=False))
    watch._Lines().update(task)
    bar = bars(console(), TextColumn("task"))
    bar.add_task("", task=Text(task.id), **bar_fields(task))
    console().print(bar.make_tasks_table(bar.tasks))
    known = _task_type(text, parameter)
    for line in (*task_types._at_a_glance(known), *task_types._in_detail(known)):
        write(line)
    print_table(workers._COLUMNS, [workers._row(_worker(text))])
    report(CommandError(text, exit_code=4, more=(text,)), as_json=False)
    report(click.UsageError(text), as_json=False)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task=TASKS, parameter=PARAMETERS, text=TEXTS)
def test_nothing_is_shown_raw(
    output: pytest.CaptureFixture[str], task: Task, parameter: Parameter, text: str
) -> None:
    output.readouterr()
    _show_all(task, parameter, text)
    shown = output.readouterr()
    assert not _is_raw(shown.out)
    assert not _is_raw(shown.err)


@given(task=TASKS)
def test_json_stays_json_and_holds_nothing_raw(task: Task) -> None:
    fields: dict[str, Any] = fields_of(task, full=True)
    for text in (json_text(fields), json_text(fields, indent=2)):
        assert not _is_raw(text)
        read = json.loads(text)
        assert read["result"] == task.result
        assert read["kwargs"] == task.kwargs


@given(st.text())
def test_lone_surrogates_too(text: str) -> None:
    assert not _is_raw(safe(text + "\ud800"))
    assert json.loads(json_text([text, "\udfff"])) == [text, "\udfff"]


def test_what_people_write_stays_as_it_is() -> None:
    text = "Grüße, 10\u00a0€, 日本\u3000語, \u0645\u06cc\u200c\u062e, 👩\u200d🚀\n\tnext"
    assert safe(text) == text
    assert json.loads(json_text(text)) == text


def test_styles_keep_their_places() -> None:
    text = safe_text(Text.assemble(("a\x1b", "red"), ("\u202eb", "bold"), "c"))
    assert text.plain == "a\\x1b\\u202ebc"
    assert [(text.plain[s.start : s.end], s.style) for s in text.spans] == [
        ("a\\x1b", "red"),
        ("\\u202eb", "bold"),
    ]


def test_an_error_of_a_script_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    report(click.UsageError("no\u202esuch"), as_json=True)
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["error"] == {
        "code": "INVALID_ARGUMENT",
        "reason": "",
        "message": "no\u202esuch",
        "violations": [],
    }


def test_a_value_for_scripts_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"text": "a\nb\u2028c", "time": NOW})
    assert capsys.readouterr().out == (
        '{"text": "a\\nb\\u2028c", "time": "2026-11-22T00:00:00Z"}\n'
    )


def _task_type(text: str, parameter: Parameter) -> TaskType:
    return TaskType(
        name=text,
        signature=text,
        doc=text,
        parameters=(parameter,),
        queue=text,
        max_attempts=None,
        at_most_once=True,
        pause=None,
        revision=1,
        arguments_schema={},
        register_time=NOW,
        registered_by=text,
    )


def _worker(text: str) -> Worker:
    return Worker(
        id=text,
        state=WorkerState.LOST,
        queues=(text,),
        pool=text,
        concurrency=1,
        can_force_abort=True,
        active_tasks=0,
        start_time=NOW,
        lease_expire_time=NOW,
        stop_time=None,
        host=text,
        pid=1,
    )
