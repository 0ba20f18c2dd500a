"""Task types that use what Celery offers, for workers under test."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from celery import signals
from celery.exceptions import Ignore, Reject
from celery.utils.log import get_logger
from celery.worker.request import Request
from flask import Flask, current_app

from taskgate.tasks import TaskgateTask, task

logger = get_logger(__name__)

flask_app = Flask("the-flask-app")


class Own(Exception):
    """An exception of the users' own."""


class Unpicklable(Exception):
    """Cannot be made of what it keeps as its arguments."""

    def __init__(self, foo: str, bar: str) -> None:
        super().__init__(foo)
        self.bar = bar


@task(name="features.retries_with_an_unpicklable", bind=True)
def retries_with_an_unpicklable(self: TaskgateTask) -> None:
    """Fail, and want to go on in an hour."""
    raise self.retry(exc=Unpicklable("foo", "bar"), countdown=3600)


@task(name="features.retries_with_other_args", bind=True, max_retries=1)
def retries_with_other_args(self: TaskgateTask, x: int, label: str = "lost") -> list[Any]:
    """Go on with another `x`; what came as a keyword stays."""
    if not self.request.retries:
        raise self.retry(args=(x + 1,), countdown=0)
    return [x, label]


@task(name="features.flask_name")
def flask_name() -> str:
    """The name of the Flask app whose context is entered."""
    return current_app.name


@task(name="features.count_retries", bind=True)
def count_retries(self: TaskgateTask, until: int, seen: int = 0) -> list[int]:
    """Retry with other arguments until there were enough."""
    if self.request.retries < until:
        raise self.retry(args=(until, seen + 10), countdown=0.2, max_retries=until)
    return [self.request.retries, seen]


@task(name="features.give_up", bind=True, max_retries=1, default_retry_delay=0.1)
def give_up(self: TaskgateTask) -> None:
    """Retry once too often."""
    raise self.retry(exc=Own("enough", 2))


@task(name="features.retry_without_throwing", bind=True)
def retry_without_throwing(self: TaskgateTask) -> int:
    """Ask for a retry and go on."""
    if self.request.retries == 0:
        self.retry(countdown=0.1, throw=False)
    retries: int = self.request.retries
    return retries


@task(name="features.calls_another", bind=True)
def calls_another(self: TaskgateTask) -> list[Any]:
    """Call task functions as functions, and start another task."""
    started = twice.delay(4)
    return [
        twice(1),
        twice.apply((2,)).get(disable_sync_subtasks=False),
        self.request.id,
        started.id,
    ]


@task(name="features.starts_another_and", bind=True)
def starts_another_and(self: TaskgateTask, end: str) -> None:
    """Start a task, then fail, or wait to be aborted and return or fail."""
    twice.delay(4)
    while end != "fail" and not self.is_aborted():
        self.update_state(state="WAITS")
    if end != "return":
        raise ValueError(end)


@task(name="features.twice")
def twice(x: int) -> int:
    """Two times x."""
    return 2 * x


@task(name="features.total")
def total(values: list[float]) -> float:
    """The sum."""
    return sum(values)


@dataclass
class Order:
    """Something to buy."""

    item: str
    count: int = 1


@task(name="features.typed")
def typed(order: Order, due: date, *extra: int) -> list[Any]:
    """Say what the arguments arrived as."""
    return [type(order).__name__, order.item, order.count, due.isoformat(), list(extra)]


@task(name="features.fails_and_ignores", bind=True)
def fails_and_ignores(self: TaskgateTask) -> None:
    """Write the end itself."""
    self.update_state(state="FAILURE", meta={"exc_type": "Own", "exc_message": ["by hand"]})
    raise Ignore


@task(name="features.ignores")
def ignores() -> None:
    """End without a result."""
    raise Ignore


@task(name="features.rejects")
def rejects() -> None:
    """Refuse the message."""
    raise Reject("unreadable", requeue=False)


@signals.task_failure.connect
def tell_of_failure(task_id: str, exception: Exception, **_: Any) -> None:
    """Say in the worker's log that the signal was sent."""
    logger.warning("task_failure: %s %s", task_id, type(exception).__name__)


@task(name="features.rejects_once", bind=True)
def rejects_once(self: TaskgateTask) -> int:
    """Ask to be delivered again, once."""
    attempt = getattr(self.request, "taskgate_attempt", 1)
    if attempt == 1:
        raise Reject("later", requeue=True)
    return int(attempt)


@task(name="features.rejects_until_redelivered", bind=True)
def rejects_until_redelivered(self: TaskgateTask) -> str:
    """Ask to be delivered again, and say that it was."""
    delivery: Any = self.request.delivery_info
    if not delivery["redelivered"]:
        raise Reject("later", requeue=True)
    return "redelivered"


@task(name="features.shows_headers", bind=True, max_retries=1)
def shows_headers(self: TaskgateTask, seen: list[Any] | None = None) -> list[Any]:
    """Return the headers of its own that each of two attempts had."""
    own = {k: v for k, v in (self.request.headers or {}).items() if k.startswith("x-")}
    if seen is None:
        raise self.retry(args=([own],), countdown=0)
    return [*seen, own]


@task(name="features.ignored_result", ignore_result=True)
def ignored_result(x: int) -> int:
    """Return what Celery would not keep."""
    return x


@task(name="features.dies_once", bind=True)
def dies_once(self: TaskgateTask) -> int:
    """Kill the process that runs it, the first time."""
    attempt = int(getattr(self.request, "taskgate_attempt", 1))
    if attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return attempt


class Broken(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@task(name="features.broken_text", bind=True, max_retries=1, default_retry_delay=0)
def broken_text(self: TaskgateTask) -> None:
    """Fail with it, and be retried."""
    raise self.retry(exc=Broken())


@task(name="features.long_texts", bind=True)
def long_texts(self: TaskgateTask, length: int) -> None:
    """Report and raise long texts."""
    self.report_progress(1, 2, "x" * length)
    raise ValueError("y" * length)


@task(name="features.large")
def large(length: int) -> str:
    """Return a long text."""
    return "x" * length


class FussyRequest(Request):
    """As an instrumentation's that goes wrong on the first delivery of each message."""

    _seen: ClassVar[set[str]] = set()

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **options)
        if self.id not in self._seen:
            self._seen.add(self.id)
            raise ValueError(f"cannot instrument {self.id}")


@task(name="features.received_twice", Request=FussyRequest)
def received_twice(x: int) -> int:
    """Return what it was given."""
    return x


@task(name="features.retries_beyond_the_record", bind=True)
def retries_beyond_the_record(self: TaskgateTask, **options: Any) -> None:
    """Ask for a next attempt that no database can hold."""
    raise self.retry(countdown=0, **options)
