"""What a worker does with messages: good ones, repeated ones, and garbage."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.celery_system import System, failure_of
from support.waiting import wait_until
from taskgate.store import outbox, queries, submission
from taskgate.store.lifecycle import Outcome, Reason, State
from taskgate.store.record import NewTask, RetryPolicy, Task, new_task_id
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.messages import SENT_HEADER

pytestmark = pytest.mark.parametrize(
    "system",
    ["sqla+sqlite-solo", "redis+postgresql-threads", "rabbitmq+postgresql-prefork"],
    indirect=True,
)


def recorded(system: System, task_type: str, *args: Any) -> Task:
    """A task that is recorded and that nobody publishes."""
    task_id = new_task_id()
    arguments = json.dumps({"args": args, "kwargs": {}})
    new = NewTask(id=task_id, task_type=task_type, arguments=arguments, queue="celery")
    with system.deployment.database.write() as tx:
        submission.submit(tx, [new])
        outbox.remove(tx, [task_id])
        return queries.get(tx, task_id)


def test_a_message_delivered_five_times_runs_once(system: System) -> None:
    task = recorded(system, "journal.run", 0.3)
    publisher = Publisher(system.app)

    publisher.publish([task] * 5)
    publisher.close()

    assert system.wait_final(task.id).state is State.SUCCEEDED
    dropped = f"task {task.id} does not run here"
    wait_until(lambda: system.worker.output.count(dropped) == 4, 30)
    assert system.journal.words(task.id) == ["start", "end"]


def test_another_producers_message_delivered_five_times_runs_once(system: System) -> None:
    task_id = new_task_id()
    for _ in range(5):
        # As one call sent it: each apply_async of an id that has ended runs a task of its own.
        system.app.signature("journal.run", (0.3,)).apply_async(
            task_id=task_id, headers={SENT_HEADER: "one call"}
        )

    dropped = f"task {task_id} does not run here"
    wait_until(lambda: system.worker.output.count(dropped) == 4, 30)
    assert system.wait_final(task_id).state is State.SUCCEEDED
    assert system.journal.words(task_id) == ["start", "end"]


def test_a_message_of_an_old_attempt_does_not_run(system: System) -> None:
    task = recorded(system, "journal.run")
    publisher = Publisher(system.app)

    publisher.publish([replace(task, attempt=2)])

    system.wait_log(f"task {task.id} does not run here: attempt 2")
    publisher.publish([task])
    publisher.close()
    assert system.wait_final(task.id).state is State.SUCCEEDED
    assert system.journal.words(task.id) == ["start", "end"]


def test_our_message_without_a_record_is_dropped(system: System) -> None:
    task = replace(recorded(system, "journal.run"), id=new_task_id())
    publisher = Publisher(system.app)

    publisher.publish([task])
    publisher.close()

    system.wait_log(f"task {task.id} does not run here: attempt 1: there is no record")
    assert system.journal.words(task.id) == []
    assert not system.app.backend.task_result_exists(task.id)


@pytest.mark.parametrize(
    "message",
    [
        {"body": b"\xff\xfe", "content_type": "application/octet-stream"},
        {"body": b"{", "content_type": "application/json", "content_encoding": "utf-8"},
        {"body": {"hello": "world"}},
        {"body": [[], {}, {}], "headers": {"task": "demo.add"}},
        {"body": "x", "headers": {"task": "demo.add", "id": "1"}},
        {"body": [[], {}, {}], "headers": {"task": "demo.add", "id": None}},
        {"body": [[1, 2], {}, {}], "headers": {"task": "demo.add", "id": "2", "eta": "soon"}},
        {"body": [[1, 2], {}, {}], "headers": {"task": "demo.add", "id": "3", "expires": "soon"}},
        {
            "body": [[1, 2], {}, {}],
            "headers": {"task": "demo.add", "id": "4", "taskgate_attempt": "many"},
        },
        {
            "body": [[1, 2], {}, {}],
            "headers": {"task": "demo.add", "id": "x" * 300, "taskgate_attempt": 1},
        },
        {"body": [[1, 2], {}, {}], "headers": {"task": "demo.add", "id": "y" * 300}},
    ],
    ids=str,
)
def test_garbage_does_not_stop_the_worker(system: System, message: dict[str, Any]) -> None:
    with system.app.connection_for_write() as connection:
        producer = connection.Producer(serializer="json")
        producer.publish(**message, exchange="", routing_key="celery")

    result = system.app.signature("demo.add", (1, 2)).delay()
    assert result.get(timeout=30) == 3


def test_a_message_that_the_users_code_cannot_handle_comes_again(system: System) -> None:
    mine = system.submit("features.received_twice", 5)
    other = system.app.signature("features.received_twice", (6,)).delay()

    for task_id, result in ((mine, "5"), (other.id, "6")):
        task = system.wait_final(task_id)
        assert (task.state, task.result, task.attempt) == (State.SUCCEEDED, result, 1)
        assert f"cannot instrument {task_id}" in system.worker.output


def test_what_no_database_can_hold_fails_its_task(system: System) -> None:
    send = system.app.signature
    if system.deployment.database.is_sqlite:  # which keeps names of any length
        beyond = 2**70
        results = []
    else:
        beyond = 2**40
        results = [send("features.retries_beyond_the_record").delay(queue="q" * 256)]
    for name in ("demo.add", "no.such.task"):
        results.append(send(name, (1, 2)).apply_async(headers={"retries": beyond}))

    for result in results:
        task = system.wait_final(result.id)
        assert task.state is State.FAILED
        assert "the database cannot hold a value" in failure_of(task).message
    assert system.wait_final(system.submit("demo.add", 1, 2)).result == "3"


def test_unknown_task_type(system: System) -> None:
    mine = system.submit("no.such.task")
    other = system.app.signature("no.such.task").delay()

    for task_id in (mine, other.id):
        task = system.wait_final(task_id)
        assert (task.state, failure_of(task).reason) == (
            State.FAILED,
            Reason.TASK_TYPE_NOT_REGISTERED,
        )


def test_result_that_json_cannot_hold(system: System) -> None:
    task = system.wait_final(system.submit("journal.unserializable"))

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.RESULT_NOT_SERIALIZABLE)
    assert system.wait_final(system.submit("demo.add", 1, 2)).result == "3"


def test_arguments_that_celery_cannot_read(system: System) -> None:
    task = system.wait_final(system.submit("demo.echo", {"__type__": "odd", "__value__": 1}))

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.ARGUMENTS_INVALID)
    assert system.app.AsyncResult(task.id).args == [{"__type__": "odd", "__value__": 1}]


def test_results_and_arguments_are_exact(system: System) -> None:
    for value in [2**63 + 1, 0.1 + 0.2, "ü \u2028 \U0001f600 \0", None, {"": [[[]]]}, -0.0]:
        assert (
            json.loads(system.wait_final(system.submit("demo.echo", value)).result or "") == value
        )


def test_retry_policy_stands_over_the_task_types_own(system: System) -> None:
    policy = RetryPolicy(max_attempts=3, initial_backoff=0.1, backoff_multiplier=1)
    failing = system.submit("demo.fail", "no", retry_policy=policy)
    flaky = system.submit("journal.flaky", 5, retry_policy=policy)

    for task_id in (failing, flaky):
        task = system.wait_final(task_id)
        assert task.state is State.FAILED
        assert [attempt.outcome for attempt in task.attempts] == [Outcome.FAILED] * 3


def test_errors_that_the_policy_does_not_retry(system: System) -> None:
    policy = RetryPolicy(max_attempts=3, non_retryable_errors=("RuntimeError",))

    task = system.wait_final(system.submit("demo.fail", "no", retry_policy=policy))

    assert (task.state, task.attempt) == (State.FAILED, 1)


def test_what_expired_never_runs(system: System) -> None:
    task_id = system.submit("journal.run", ttl=timedelta(milliseconds=1))

    assert system.wait_final(task_id).state is State.EXPIRED
    assert system.journal.words(task_id) == []
