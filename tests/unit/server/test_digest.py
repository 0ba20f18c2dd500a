from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.records import new_task
from taskgate.server.requests.admission import digest
from taskgate.store.record import RetryPolicy

CHANGES: list[dict[str, Any]] = [
    {"task_type": "demo.echo"},
    {"arguments": '{"args": [2, 1], "kwargs": {}}'},
    {"priority": 5},
    {"labels": {"a": "b"}},
    {"delay": timedelta(microseconds=1)},
    {"schedule_time": datetime(2030, 1, 1, tzinfo=UTC)},
    {"expire_time": datetime(2030, 1, 1, tzinfo=UTC)},
    {"ttl": timedelta(seconds=1)},
    {"run_timeout": timedelta(seconds=1)},
    {"retry_policy": RetryPolicy()},
    {"retry_policy": RetryPolicy(max_attempts=1)},
    {"retry_of": "x"},
    {"unique_key": "x"},
    {"unique_until": "START"},
    {"unique_ttl": timedelta(seconds=1)},
    {"answers_holder": True},
]


def test_each_field_counts() -> None:
    new = new_task(queue="")
    digests = [digest(new), digest(replace(new, queue="celery"))]
    digests += [digest(replace(new, **change)) for change in CHANGES]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"max_attempts": 3},
        {"submitted_by": "alice"},
        {"arguments": '{"kwargs": {}, "args":[1,2]}'},
    ],
)
def test_what_the_caller_did_not_say_does_not(change: dict[str, Any]) -> None:
    new = new_task(queue="")
    assert digest(new) == digest(replace(new, **change))


def test_the_order_of_labels_and_names_does_not_count() -> None:
    one = new_task(
        labels={"a": "1", "b": "2"}, arguments='{"args": [], "kwargs": {"x": 1, "y": 2}}'
    )
    two = new_task(
        labels={"b": "2", "a": "1"}, arguments='{"args": [], "kwargs": {"y": 2, "x": 1}}'
    )
    assert digest(one) == digest(two)


def test_it_stays_the_same_from_version_to_version() -> None:
    """A repeated request may arrive after an upgrade."""
    new = new_task(queue="", labels={"a": "1"}, delay=timedelta(seconds=1))
    assert digest(new) == ("dfdcc47836550033b03bdb8689955c61062a48ed4a14a241dce0f21188ae872e")
