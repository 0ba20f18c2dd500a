"""What a managed app sends: each message says by whom, and a task's replacement is held back.

A replacement is recorded with the end of the attempt that asked for it, in one transaction; the
dispatcher sends what it begins with. So it never starts twice, and none of it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from celery import Celery
from celery._state import get_current_worker_task
from celery.app.task import Context
from celery.utils.time import maybe_make_aware
from kombu.utils.uuid import uuid

from taskgate.tasks import bodies
from taskgate.tasks.messages import SENT_HEADER, columns_of


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that was held back, as the record of a task."""

    task_id: str
    columns: Mapping[str, Any]
    delay: timedelta


_held_back: ContextVar[list[Unsent] | None] = ContextVar("taskgate_held_back", default=None)


@contextmanager
def held_back() -> Iterator[list[Unsent]]:
    """Meanwhile, have nothing sent from here; the list fills with what would have been."""
    unsent: list[Unsent] = []
    token = _held_back.set(unsent)
    try:
        yield unsent
    finally:
        _held_back.reset(token)


def current_sender() -> str | None:
    """What marks the messages of the task that runs here, all its attempts alike; else None."""
    task: Any = get_current_worker_task()
    if task is None:
        return None
    return getattr(task.request, SENT_HEADER, None) or str(task.request.id)


class Sender:
    """``AMQP.send_task_message``: Celery's own, unless the message is held back."""

    def __init__(self, app: Celery, send: Callable[..., Any] | None = None) -> None:
        """``send``: takes what is not held back; Celery's own if None."""
        self._app = app
        self._send: Any = send

    def __call__(self, producer: Any, name: str, message: Any, **options: Any) -> Any:
        """Send a message, or hold it back."""
        message.headers.setdefault(SENT_HEADER, current_sender() or uuid())
        unsent = _held_back.get()
        if unsent is not None:
            unsent.append(unsent_of(self._app, message, options))
            return None
        if self._send is None:  # made late, as it reads the configuration
            create = cast("Any", self._app.amqp)._create_task_sender  # noqa: SLF001 - behind ours
            self._send = create()
        return self._send(producer, name, message, **options)


def use_ours(app: Celery, send: Callable[..., Any] | None = None) -> None:
    """Have the app send by ``Sender``, and that by ``send`` if given."""
    app.amqp.__dict__["send_task_message"] = Sender(app, send)


def unsent_of(app: Celery, message: Any, options: Mapping[str, Any]) -> Unsent:
    """The record of a task whose message Celery was about to send."""
    args, kwargs, embed = message.body
    queue = options.get("queue")
    delivery = {
        "exchange": None if queue else options.get("exchange"),
        "routing_key": getattr(queue, "name", queue) or options.get("routing_key"),
        "priority": options.get("priority", app.conf.task_default_priority),
    }
    fields = {**message.headers, **(options.get("headers") or {}), **embed}
    serializer = options.get("serializer") or app.conf.task_serializer
    if serializer != "json":
        fields[bodies.CONTENT_HEADER] = bodies.content_type_of(serializer)
    request = Context(
        fields,
        args=args,
        kwargs=kwargs,
        reply_to=message.properties.get("reply_to"),
        delivery_info=delivery,
        called_directly=False,
    )
    task_id = message.headers["id"]
    return Unsent(task_id, columns_of(app, task_id, request), _delay(message.headers.get("eta")))


def _delay(eta: str | None) -> timedelta:
    if eta is None:
        return timedelta(0)
    due = maybe_make_aware(datetime.fromisoformat(eta))
    return max(due - datetime.now(UTC), timedelta(0))
