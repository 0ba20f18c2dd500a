"""What a Celery message says about a task, and how a record becomes one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from celery.app.task import get_actual_ignore_result  # type: ignore[attr-defined]  # newer
from celery.utils.functional import maybe_list
from kombu import Queue
from kombu.utils import json as kombu_json
from sqlalchemy import Connection

from taskgate.store import canvas as store_canvas
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.store.submission import FIRST_ATTEMPT
from taskgate.store.tables import LARGEST_NUMBER, NAME_LENGTH
from taskgate.tasks import bodies
from taskgate.tasks.brokers import connecting
from taskgate.tasks.serializing import arguments_json
from taskgate.tasks.tracing import HEADER, checked

ATTEMPT_HEADER = "taskgate_attempt"
"""The attempt that a message stands for: the fencing token, set on what taskgate publishes."""

SENT_HEADER = "taskgate_sent"
"""Tells what one call sent from what another did: an id that is used again is another task."""

_SHOWN_WHOLE = 1_024
"""Celery shows so many characters of arguments."""

_FLAT = 3
"""Brackets in the JSON of arguments that have no lists and objects in them."""

_OWN_HEADERS = ("taskgate_", "x-death", "x-first-death", "x-last-death")
"""How headers begin that are not the producer's: ours, and those of RabbitMQ's dead letters."""

_CANVAS = (
    "callbacks",
    "chain",
    "chord",
    "errbacks",
    "group",
    "group_index",
    "headers",
    "ignore_result",
    "parent_id",
    "replaced_task_nesting",
    "reply_to",
    "root_id",
    "shadow",
    "stamped_headers",
    "stamps",
    SENT_HEADER,
    "timelimit",
)
"""What a message carries beyond the record's own columns, by its names in a task's request."""


def is_from_taskgate(request: Any) -> bool:
    """Whether the message was published from a record, which therefore was there."""
    return getattr(request, ATTEMPT_HEADER, None) is not None


def attempt_of(request: Any) -> int:
    """The attempt that the message stands for; the first, for other producers' messages."""
    return int(getattr(request, ATTEMPT_HEADER, None) or FIRST_ATTEMPT)


def columns_of(app: Celery, task_id: str, request: Any) -> dict[str, Any]:
    """The record of a task that another producer published.

    ``request``: whatever is known of its message; None if nothing is.
    """
    delivery = getattr(request, "delivery_info", None) or {}
    name = getattr(request, "task", None) or getattr(request, "name", None)
    priority = delivery.get("priority")
    return {
        "id": task_id,
        "task_type": name or "",
        "state": State.QUEUED,
        "queue": _queue_of(app, delivery) or app.conf.task_default_queue,
        "priority": connecting.from_broker(priority, zero_first=connecting.zero_goes_first(app)),
        "arguments": arguments_json(
            getattr(request, "args", None), getattr(request, "kwargs", None)
        ),
        "retries": getattr(request, "retries", None) or 0,
        "expires_at": _expires(request),
        "trace": checked(getattr(request, HEADER, None)),
        "message": canvas_of(
            request,
            ignore_result=_ignores_result(app.tasks.get(name or ""), request),
            body=bodies.kept(
                getattr(request, "args", None),
                getattr(request, "kwargs", None),
                getattr(request, bodies.CONTENT_HEADER, None),
            ),
        ),
    }


def fitted(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of ``columns_of``, with names and numbers cut to what a database can hold."""
    return {
        **columns,
        "task_type": columns["task_type"][:NAME_LENGTH],
        "queue": columns["queue"][:NAME_LENGTH],
        "priority": max(0, min(columns["priority"], 9)),
        "retries": max(0, min(columns["retries"], LARGEST_NUMBER)),
    }


def canvas_of(request: Any, **values: Any) -> str | None:
    """``Task.message`` for a task that another producer published; ``values`` override."""
    found = {**{name: getattr(request, name, None) for name in _CANVAS}, **values}
    found["headers"] = _json_only(found["headers"])
    carried = {name: value for name, value in found.items() if value}
    # As Celery writes messages: what is linked may hold datetimes, UUIDs and their like.
    return kombu_json.dumps(carried) if carried else None


def _ignores_result(task: Any, request: Any) -> bool:
    """Whether the message says ``ignore_result``; the task type, if the message does not."""
    return bool(get_actual_ignore_result(task, request)) if task and request else False


def _queue_of(app: Any, delivery: Mapping[str, Any]) -> str | None:
    """The queue that the message came from, which need not be named like its routing key."""
    exchange, routing_key = delivery.get("exchange"), delivery.get("routing_key")
    if exchange and routing_key:
        for queue in app.amqp.queues.consume_from.values():
            if any(_leads(binding, exchange, routing_key) for binding in _bindings(queue)):
                return str(queue.name)
    return routing_key


def _bindings(queue: Queue) -> list[tuple[Any, str]]:
    own = (queue.exchange, queue.routing_key)
    return [own, *((binding.exchange, binding.routing_key) for binding in queue.bindings)]


def _leads(binding: tuple[Any, str], exchange: str, routing_key: str) -> bool:
    bound, pattern = binding
    if bound is None or bound.name != exchange:
        return False
    match bound.type:
        case "fanout":
            return True
        case "topic":
            return re.fullmatch(_topic_pattern(pattern or ""), "." + routing_key) is not None
    return bool(pattern == routing_key)


def _topic_pattern(pattern: str) -> str:
    """AMQP's topics as a regular expression: ``*`` is one word, ``#`` any number of them."""
    words = {"*": r"\.[^.]+", "#": r"(\.[^.]+)*"}
    # With a dot before each word, the first included, "#" needs no case of its own.
    return "".join(words.get(word, re.escape("." + word)) for word in pattern.split("."))


def _expires(request: Any) -> datetime | None:
    expires = getattr(request, "expires", None)
    if isinstance(expires, str):
        expires = datetime.fromisoformat(expires)
    return None if expires is None else _aware(expires)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def sent_by(task: Task) -> str | None:
    """What marks the call that sent the task's first message; None for others' and submitted."""
    carried = json.loads(task.message or "{}")
    sender: str | None = carried.get(SENT_HEADER)
    return sender


def carry(tx: Connection, task_id: str, changes: Mapping[str, Any]) -> None:
    """Have the task's later messages carry something else than its first one did.

    ``children``, the results of the tasks that it has started, are kept there as well.
    """
    if changes:
        carried = json.loads(store_canvas.message(tx, task_id) or "{}")
        store_canvas.set_message(tx, task_id, kombu_json.dumps({**carried, **changes}))


def changes_of(app: Celery, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What options of ``apply_async``, given to ``retry``, change in the record and the message."""
    columns: dict[str, Any] = {}
    if queue := options.get("queue"):
        columns["queue"] = str(getattr(queue, "name", queue))
    elif key := options.get("routing_key"):
        delivery = {"exchange": options.get("exchange"), "routing_key": key}
        columns["queue"] = _queue_of(app, delivery)
    if (priority := options.get("priority")) is not None:
        zero_first = connecting.zero_goes_first(app)
        columns["priority"] = connecting.from_broker(priority, zero_first=zero_first)
    if (expires := options.get("expires")) is not None:
        if isinstance(expires, int | float):
            expires = datetime.now(UTC) + timedelta(seconds=expires)
        columns["expires_at"] = _aware(expires)
    carried: dict[str, Any] = {
        name: maybe_list(options[option])
        for option, name in (("link", "callbacks"), ("link_error", "errbacks"))
        if options.get(option) is not None
    }
    if headers := _json_only(options.get("headers")):
        carried["headers"] = headers
    limits = [options.get("time_limit"), options.get("soft_time_limit")]
    if limits != [None, None]:
        carried["timelimit"] = limits
    return columns, carried


def _json_only(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """The custom headers that a JSON message can carry, without ours."""
    return {
        name: value
        for name, value in (headers or {}).items()
        if not name.startswith(_OWN_HEADERS) and _is_json(value)
    }


def _is_json(value: Any) -> bool:
    try:
        kombu_json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


class Messages:
    """The messages of an app's tasks.

    Those of tasks that carry nothing beyond the record differ in a few headers only, so they are
    made from one message: a fifth of the time that Celery takes for each.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._plain: Any = None

    def of(self, task: Task) -> Any:
        """As ``message_of``."""
        if task.message is not None or not _is_flat(task.arguments):
            return message_of(self._app, task)
        if self._plain is None:
            self._plain = self._app.amqp.as_task_v2(task.id, task.task_type)
        arguments = json.loads(task.arguments)
        args, kwargs = arguments["args"] or (), arguments["kwargs"]
        timeout = None if task.run_timeout is None else task.run_timeout.total_seconds()
        headers = {
            **self._plain.headers,
            "task": task.task_type,
            "id": task.id,
            "root_id": task.id,
            "retries": task.retries,
            "timelimit": [timeout, None],
            "argsrepr": repr(args),
            "kwargsrepr": repr(kwargs),
            ATTEMPT_HEADER: task.attempt,
        }
        if task.trace is not None:
            headers[HEADER] = task.trace
        properties = {**self._plain.properties, "correlation_id": task.id}
        _args, _kwargs, embed = self._plain.body
        return self._plain._replace(
            headers=headers, properties=properties, body=(args, kwargs, embed)
        )


def _is_flat(arguments: str) -> bool:
    """Whether Celery would show all of them in a message's headers, without a cut."""
    return len(arguments) < _SHOWN_WHOLE and arguments.count("[") + arguments.count("{") <= _FLAT


def message_of(app: Celery, task: Task) -> Any:
    """The protocol-2 message (headers, properties, body) of the task's current attempt.

    Its body is a ``Body`` if it was kept as it was serialised.
    """
    arguments = json.loads(task.arguments)
    canvas = json.loads(task.message) if task.message else {}
    time_limit, soft_time_limit = canvas.get("timelimit") or (None, None)
    if task.run_timeout is not None:
        time_limit = task.run_timeout.total_seconds()
    message = app.amqp.as_task_v2(
        task.id,
        task.task_type,
        arguments["args"],
        arguments["kwargs"],
        group_id=canvas.get("group"),
        group_index=canvas.get("group_index"),
        retries=task.retries,
        chord=canvas.get("chord"),
        callbacks=canvas.get("callbacks"),
        errbacks=canvas.get("errbacks"),
        reply_to=canvas.get("reply_to"),
        time_limit=time_limit,
        soft_time_limit=soft_time_limit,
        root_id=canvas.get("root_id"),
        parent_id=canvas.get("parent_id"),
        shadow=canvas.get("shadow"),
        chain=canvas.get("chain"),
        replaced_task_nesting=canvas.get("replaced_task_nesting", 0),
        ignore_result=canvas.get("ignore_result", False),
        stamped_headers=canvas.get("stamped_headers"),
        **(canvas.get("stamps") or {}),
    )
    for name, value in (canvas.get("headers") or {}).items():
        message.headers.setdefault(name, value)
    message.headers[ATTEMPT_HEADER] = task.attempt
    if task.trace is not None:
        message.headers[HEADER] = task.trace
    if sender := canvas.get(SENT_HEADER):
        message.headers[SENT_HEADER] = sender
    kept = bodies.body_of(canvas)
    if kept is None:
        return message
    _args, _kwargs, embed = message.body
    message.headers[bodies.CANVAS_HEADER] = json.dumps(embed)
    return message._replace(body=kept)
