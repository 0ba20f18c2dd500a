from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from taskgate.cli.commands.batch_lines import Malformed, read_lines
from taskgate.client import RetryPolicy, Submission

BIG = 2**53 + 1


def _read(text: str) -> Submission | Malformed:
    [line] = read_lines([text.encode()])
    return line.meant


def test_a_line_has_the_fields_of_a_submission() -> None:
    line = {
        "task_type": "demo.echo",
        "args": [BIG],
        "kwargs": {"x": None},
        "queue": "mail",
        "priority": 9,
        "delay": "1m",
        "ttl": 2.5,
        "expire_time": "2026-11-22T10:00:00Z",
        "run_timeout": 3,
        "retry_policy": {"max_attempts": 2, "initial_backoff": "5s", "jitter": True},
        "labels": {"team": "web"},
        "request_id": "mine",
        "schedule_time": None,
    }
    assert _read(json.dumps(line)) == Submission(
        task_type="demo.echo",
        args=[BIG],
        kwargs={"x": None},
        queue="mail",
        priority=9,
        delay=60.0,
        ttl=2.5,
        expire_time=datetime(2026, 11, 22, 10, tzinfo=UTC),
        run_timeout=3.0,
        retry_policy=RetryPolicy(max_attempts=2, initial_backoff=5.0, jitter=True),
        labels={"team": "web"},
        request_id="mine",
    )


def test_empty_lines_are_counted_and_skipped() -> None:
    lines = list(read_lines([b'{"task_type": "a"}\n', b"\n", b"  ", b'{"task_type": "b"}']))
    assert [line.number for line in lines] == [1, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "Expecting value"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}", "Expecting value"),
        ("[1]", "[1] is not an object with the fields of a submission"),
        ("[" * 100_000, "recursion"),
        ("{}", "task_type is missing"),
        ('{"task_typ": "a"}', "'task_typ' is no field of a submission; did you mean task_type?"),
        ('{"task_type": 1}', "task_type: 1 is not text"),
        ('{"task_type": "a", "args": {}}', "args: {} is not a list"),
        ('{"task_type": "a", "args": [NaN]}', "NaN is not JSON"),
        ('{"task_type": "a", "args": [1e999]}', "the number 1e999 is too large"),
        ('{"task_type": "a", "priority": true}', "priority: True is not a whole number"),
        ('{"task_type": "a", "priority": 99999999999}', "99999999999"),
        ('{"task_type": "a", "delay": -1}', "delay: '-1' is not a duration"),
        ('{"task_type": "a", "schedule_time": "soon"}', "schedule_time: "),
        ('{"task_type": "a", "schedule_time": "0001-01-01T00:00:00+10:00"}', ""),
        ('{"task_type": "a", "labels": {"x": 1}}', "labels: 1 is not text"),
        ('{"task_type": "a", "labels": {"x": "\\ud800"}}', "surrogates"),
        ('{"task_type": "a", "retry_policy": {"max_attempt": 1}}', "did you mean max_attempts?"),
    ],
)
def test_what_is_no_submission_says_why(text: str, message: str) -> None:
    meant = _read(text)
    assert isinstance(meant, Malformed)
    assert message in meant.message


def test_text_that_is_not_utf8_is_malformed() -> None:
    [line] = read_lines([b'{"task_type": "\xff"}'])
    assert isinstance(line.meant, Malformed)
