"""What a large record costs: each call, and the sweeper's pass, beside a small one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    insert,
    literal,
    select,
    true,
)

from bench import setups
from bench.environment import Environment, Scale, execute_alone
from bench.load import durations, median_seconds
from bench.measurements import Row, in_turns
from bench.subjects.calls import BATCH, submit_calls, submit_rate, submit_request
from bench.systems import Taskgate
from taskgate.server.settings import ServerSettings
from taskgate.store.database.clock import after
from taskgate.store.tables import tasks
from taskgate.tasks.app import create_app
from taskgate.tasks.background.sweeper import sweeper_of
from taskgate.v1 import task_pb2, task_service_pb2

SMALL = 1_000
WAITING = 10
"""One task waits for so many that are finished."""
AGE = timedelta(days=20)
"""Over which the finished ones are spread; retention would delete those of 30 days."""
PASSES = 5
TIMEOUT = 60


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Calls one at a time, Submits 128 at once, and passes of the sweeper."""
    with ExitStack() as exits:
        names = [f"{number + number // WAITING:,} tasks" for number in (scale.finished, SMALL)]
        large, _ = setups.on_redis(environment, exits)
        small, _ = setups.on_redis(environment, exits)
        fill(large, scale.finished)
        fill(small, SMALL)
        both = dict(zip(names, (large, small), strict=True))
        for title, call in _CALLS.items():
            contestants = {
                name: _timed(ours, call, scale.samples // 3) for name, ours in both.items()
            }
            values = in_turns(contestants, scale.rounds, warm_up=True)
            yield Row(f"{title}, alone", "ms, p50", values, less_is_better=True)
        rates: dict[str, Callable[[], float]] = {
            name: partial(submit_rate, ours, submit_calls(ours), scale.calls, environment)
            for name, ours in both.items()
        }
        values = in_turns(rates, scale.rounds, warm_up=True)
        yield Row("Submit, 128 in flight", "calls a second", values)
        passes = {name: partial(_pass_milliseconds, ours) for name, ours in both.items()}
        values = in_turns(passes, scale.rounds, warm_up=True)
        yield Row("the sweeper's pass", "ms, p50", values, less_is_better=True)


def fill(ours: Taskgate, finished: int) -> None:
    """Have so many finished tasks on record, and a tenth as many that wait, in the broker too."""
    ours.fill("nothing", finished // WAITING)
    with ours.deployment.database.write() as tx:
        _copy_one(tx, finished)
    for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
        execute_alone(ours.deployment.env["POSTGRES_URL"], statement)


def _copy_one(tx: Connection, number: int) -> None:
    model = tx.execute(select(tasks.c.id).limit(1)).scalar_one()
    numbers = select(sqlalchemy.func.generate_series(1, literal(number)).label("n")).subquery()
    age = numbers.c.n * (-AGE.total_seconds() / number)
    new: dict[str, ColumnElement[Any]] = {
        "id": literal("finished-") + cast(numbers.c.n, String),
        "root_id": literal("finished-") + cast(numbers.c.n, String),
        "state": literal("SUCCEEDED"),
        "result": literal("null"),
        "created_at": after(age),
        "started_at": after(age),
        "finished_at": after(age),
    }
    copies: Select[Any] = (
        select(*(new.get(column.name, column) for column in tasks.c))
        .select_from(tasks.join(numbers, true()))
        .where(tasks.c.id == model)
    )
    tx.execute(insert(tasks).from_select(tasks.c.keys(), copies))


def _timed(
    ours: Taskgate, call: Callable[[Taskgate, int], float], number: int
) -> Callable[[], float]:
    return lambda: call(ours, number) * 1000


def _submit(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    return median_seconds(lambda: stub.Submit(submit_request(), timeout=TIMEOUT), number)


def _batch(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    batch = task_service_pb2.SubmitBatchRequest(requests=[submit_request()] * BATCH)
    return median_seconds(lambda: stub.SubmitBatch(batch, timeout=TIMEOUT), max(number // 10, 3))


def _get(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    numbers = iter(range(1, number + 1))
    return median_seconds(
        lambda: stub.Get(
            task_service_pb2.GetRequest(id=f"finished-{next(numbers)}"), timeout=TIMEOUT
        ),
        number,
    )


def _list(request: task_service_pb2.ListRequest, ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    return median_seconds(lambda: stub.List(request, timeout=TIMEOUT), number)


def _watch(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    request = task_service_pb2.WatchRequest()
    for n in range(1, BATCH + 1):
        request.tasks.add(id=f"finished-{n}")
    return median_seconds(lambda: list(stub.Watch(request, timeout=TIMEOUT)), max(number // 5, 3))


def _abort(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    ids = iter([stub.Submit(submit_request(), timeout=TIMEOUT).task.id for _ in range(number)])
    return median_seconds(
        lambda: stub.Abort(task_service_pb2.AbortRequest(id=next(ids)), timeout=TIMEOUT), number
    )


def _retry(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    request = task_service_pb2.RetryRequest(id="finished-1")
    return median_seconds(lambda: stub.Retry(request, timeout=TIMEOUT), number)


def _task_types(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    request = task_service_pb2.ListTaskTypesRequest()
    return median_seconds(lambda: stub.ListTaskTypes(request, timeout=TIMEOUT), number)


def _workers(ours: Taskgate, number: int) -> float:
    stub = ours.deployment.stub()
    request = task_service_pb2.ListWorkersRequest()
    return median_seconds(lambda: stub.ListWorkers(request, timeout=TIMEOUT), number)


_NEWEST = task_service_pb2.ListRequest(page_size=50)
_QUEUED = task_service_pb2.ListRequest(page_size=50, states=[task_pb2.TASK_STATE_QUEUED])

_CALLS: dict[str, Callable[[Taskgate, int], float]] = {
    "Submit": _submit,
    f"SubmitBatch of {BATCH}": _batch,
    "Get": _get,
    "List, newest 50": partial(_list, _NEWEST),
    "List, 50 that wait": partial(_list, _QUEUED),
    f"Watch of {BATCH} final tasks": _watch,
    "Abort": _abort,
    "Retry": _retry,
    "ListTaskTypes": _task_types,
    "ListWorkers": _workers,
}


def _pass_milliseconds(ours: Taskgate) -> float:
    env = ours.deployment.env
    settings = ServerSettings(
        celery_broker_url=env["CELERY_BROKER_URL"], postgres_url=env["POSTGRES_URL"]
    )
    sweeper = sweeper_of(
        settings, ours.deployment.database, create_app(settings), settings.retention
    )
    return statistics.median(durations(sweeper.sweep_by_hand, PASSES)) * 1000
