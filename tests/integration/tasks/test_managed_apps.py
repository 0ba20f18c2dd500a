"""A Celery app as its users have it: what works in it before ``manage`` works after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from celery import Celery, chain
from celery.contrib.abortable import AbortableAsyncResult
from kombu import Exchange, Queue

from support.celery_system import System, failure_of
from support.deployment import Deployment
from support.waiting import wait_until
from taskgate.client import TaskgateError
from taskgate.store import outbox, queries, submission, task_types
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, Task, new_task_id
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.settings import Settings

SECONDS = 30
LINKED = (datetime(2026, 1, 2, 3, 4), UUID(int=7), b"ab")  # noqa: DTZ001 - naive ones are common


@pytest.fixture(scope="module", params=["prefork", "threads"])
def system(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_engines: Callable[..., Any],
) -> Iterator[System]:
    """A server, and a worker of the users' app with one slot."""
    with (
        make_engines("redis+postgresql") as engines,
        Deployment(
            tmp_path_factory.mktemp("managed"),
            broker_url=engines.broker.url,
            database_url=engines.database_url,
            env={"C_FORCE_ROOT": "1"},  # where tests run as root, for pickle
        ) as deployment,
    ):
        deployment.start_server()
        command = ("-A", "support.users_app", "worker", "--loglevel=info", "--concurrency=1")
        worker = deployment.start("celery", *command, f"--pool={request.param}")
        worker.wait_ready(lambda: deployment.has_worker(worker.pid))
        app = Celery(
            "plain",
            broker=engines.broker.url,
            backend=f"taskgate+{engines.database_url}",
            set_as_current=False,
        )
        app.conf.task_default_queue = "project"
        app.conf.task_queues = [
            Queue("project", Exchange("project"), routing_key="project"),
            Queue("videos", Exchange("media"), routing_key="media.video"),
            Queue("daily", Exchange("reports", type="topic"), routing_key="report.#"),
        ]
        with app:
            yield System(deployment, worker, app)


def test_base_classes_and_mixins_that_call_super(system: System) -> None:
    result = system.app.send_task("users.wrapped", (1,))

    assert result.get(timeout=SECONDS) == ["counted", ["logged", 1]]


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "CancelledError"])
def test_exceptions_that_end_programs_end_the_task(system: System, name: str) -> None:
    result = system.app.send_task("users.raises_base_exception", (name,))

    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).type, task.attempt) == (State.FAILED, name, 1)
    assert type(result.get(timeout=SECONDS, propagate=False)).__name__ == "TaskExited"
    assert system.app.send_task("users.plain").get(timeout=SECONDS) == "plain"


def test_a_state_written_before_the_function_runs(system: System) -> None:
    result = system.app.send_task("users.early", (1,))

    assert result.get(timeout=SECONDS) == 1
    assert system.journal.words(result.id) == ["prerun", "before_start", "run"]


def test_nothing_of_the_users_runs_for_a_task_that_does_not(system: System) -> None:
    task_id = new_task_id()
    AbortableAsyncResult(task_id, app=system.app).abort()

    system.app.send_task("users.early", (1,), task_id=task_id)

    system.wait_log(f"task {task_id} does not run here")
    assert system.journal.words(task_id) == []


def test_linked_signatures_hold_what_celerys_json_holds(system: System) -> None:
    first, second = system.app.signature("users.types"), system.app.signature("users.types")
    linked = second.clone(LINKED)

    result = chain(first.clone((1,)), linked, app=system.app).apply_async()

    assert result.get(timeout=SECONDS) == ["list", "datetime", "UUID", "bytes"]


def test_the_apps_router_decides_where_submissions_go(system: System) -> None:
    with system.deployment.database.read() as tx:
        registered = task_types.by_name(tx)
    queues = {name: registered[f"users.{name}"].definition["queue"] for name in ("plain", "routed")}
    assert queues == {"plain": "project", "routed": "slow"}

    with system.deployment.client() as client:
        handle = client.submit("users.routed", [])
        assert handle.wait(timeout=SECONDS).queue == "slow"


@pytest.mark.parametrize("priority", range(10))
def test_every_priority_is_run(system: System, priority: int) -> None:
    with system.deployment.client() as client:
        handle = client.submit("users.plain", [], priority=priority)
        assert str(handle.wait(timeout=SECONDS).state).endswith("SUCCEEDED")


@pytest.mark.parametrize(
    ("queue", "routing_key"),
    [("videos", "media.video"), ("daily", "report.daily.eu")],
    ids=["direct", "topic"],
)
def test_the_next_attempt_goes_to_the_queue_of_the_first(
    system: System, queue: str, routing_key: str
) -> None:
    result = system.app.send_task("users.once_more", queue=queue, routing_key=routing_key)

    assert result.get(timeout=SECONDS)["queue"] == queue
    assert system.task(result.id).queue == queue


def test_the_next_attempt_has_the_headers_of_the_first(system: System) -> None:
    result = system.app.send_task("users.once_more", headers={"x-first": "1"})

    assert result.get(timeout=SECONDS)["headers"] == {"x-first": "1", "x-next": None}


def test_retry_takes_the_options_of_apply_async(system: System) -> None:
    options = {"queue": "slow", "time_limit": 80, "soft_time_limit": 70, "headers": {"x-next": "2"}}
    result = system.app.send_task("users.once_more", (), options, headers={"x-first": "1"})

    found = result.get(timeout=SECONDS)

    assert (found["queue"], found["limits"]) == ("slow", [80, 70])
    assert found["headers"] == {"x-first": None, "x-next": "2"}, "they replace the others"


def test_a_retry_that_expires_before_it_is_due(system: System) -> None:
    options = {"countdown": 3, "expires": 1}

    task = system.wait_final(system.app.send_task("users.once_more", (), options).id)

    assert task.state is State.EXPIRED


def test_nan_and_infinity_are_the_same_in_the_next_attempt(system: System) -> None:
    values = [math.nan, math.inf, -math.inf, 1.5]

    result = system.app.send_task("users.once_more", values)

    assert result.get(timeout=SECONDS)["values"] == [repr(value) for value in values]


EXACT: dict[str, Any] = {
    "json": ([1, {"a": 0.1}, math.inf], {"x": "\udcff"}),
    "pickle": ([(1, 2), {3}, b"\xff", {4: "four"}, 1 + 2j], {"x": (None,)}),
    "yaml": ([{4: "four"}, date(2026, 1, 2), math.inf], {"x": [None]}),
    "msgpack": ([b"\xff", {"a": b"\0"}, 0.1], {"x": [None]}),
}


@pytest.mark.parametrize("serializer", EXACT)
@pytest.mark.parametrize("lose", [False, True], ids=["retried", "worker lost"])
def test_the_next_attempt_has_the_same_arguments(
    system: System, serializer: str, lose: bool, request: pytest.FixtureRequest
) -> None:
    if lose and "threads" in request.node.callspec.id:
        pytest.skip("a thread has no process to lose")
    if module := {"yaml": "yaml", "msgpack": "msgpack"}.get(serializer):
        pytest.importorskip(module)
    values, named = EXACT[serializer]
    linked = system.app.signature("users.types", (datetime(2026, 1, 2),))  # noqa: DTZ001
    can_link = serializer in ("json", "pickle")  # the others cannot write signatures
    result = system.app.send_task(
        "users.twice_the_same",
        values,
        {**named, "lose": lose},
        serializer=serializer,
        link=linked if can_link else None,
    )

    assert result.get(timeout=SECONDS) == [repr(tuple(values)), repr(named)]
    assert system.task(result.id).attempt == 2
    children = [child.get(timeout=SECONDS) for child in result.children or []]
    assert children == [["list", "datetime"]] * can_link


def test_a_retry_with_arguments_that_json_cannot_hold(system: System) -> None:
    send = partial(system.app.send_task, "users.other_arguments", (1,))
    pickled = send({"serializer": "pickle"})
    plain = send()

    assert pickled.get(timeout=SECONDS) == "{1}"
    failure = failure_of(system.wait_final(plain.id))
    assert failure.type == "EncodeError"
    assert "the arguments cannot be written as JSON" in failure.message


def test_arguments_that_json_cannot_hold_are_not_submitted_again(system: System) -> None:
    result = system.app.send_task("users.types", ((1, 2),), serializer="pickle")
    assert result.get(timeout=SECONDS) == ["tuple"]

    with (
        system.deployment.client() as client,
        pytest.raises(TaskgateError, match="x-python-serialize"),
    ):
        client.task(result.id).retry()


def test_coroutines_run_on_one_loop(system: System) -> None:
    results = [system.app.send_task("users.coroutine", (0.1,)) for _ in range(3)]

    found = [result.get(timeout=SECONDS) for result in results]

    assert len({loop for loop, _ in found}) == 1
    assert [task_id for _, task_id in found] == [result.id for result in results]


def test_a_coroutine_is_retried(system: System) -> None:
    assert system.app.send_task("users.flaky_coroutine").get(timeout=SECONDS) == 1


def test_a_coroutine_is_cancelled_by_an_abort(system: System) -> None:
    task_id = system.app.send_task("users.coroutine", (600,)).id
    wait_until(lambda: system.journal.words(task_id) == ["start"], SECONDS)

    AbortableAsyncResult(task_id, app=system.app).abort()

    assert system.wait_final(task_id).state is State.ABORTED
    assert system.journal.words(task_id) == ["start", "cancelled"]


def test_a_state_of_another_task(system: System) -> None:
    other = new_task_id()
    _record(system, other, "users.plain")

    system.app.send_task("users.report_for", (other,)).get(timeout=SECONDS)
    assert system.task(other).state is State.QUEUED, "reporting for a task starts it for nobody"


def test_a_late_duplicate_where_the_type_is_unknown(system: System) -> None:
    task_id = new_task_id()
    task = replace(_record(system, task_id, "no.such"), queue="project")
    gone = replace(task, id=new_task_id())

    with create_app(_settings(system)) as app:
        publisher = Publisher(app)
        publisher.publish([replace(task, attempt=2), gone])
        unknown = "the type no.such is not registered"
        wait_until(lambda: system.worker.output.count(unknown) == 2, 30)
        assert system.task(task_id).state is State.QUEUED
        assert not system.app.backend.task_result_exists(gone.id)
        publisher.publish([task])
        publisher.close()
    assert system.wait_final(task_id).state is State.FAILED


def _settings(system: System) -> Settings:
    env = system.deployment.env
    return Settings(celery_broker_url=env["CELERY_BROKER_URL"], postgres_url=env["POSTGRES_URL"])


def _record(system: System, task_id: str, task_type: str) -> Task:
    """Record a task in a queue that no worker serves."""
    arguments = '{"args": [], "kwargs": {}}'
    new = NewTask(id=task_id, task_type=task_type, arguments=arguments, queue="nobody")
    with system.deployment.database.write() as tx:
        submission.submit(tx, [new])
        outbox.remove(tx, [task_id])
        return queries.get(tx, task_id)
