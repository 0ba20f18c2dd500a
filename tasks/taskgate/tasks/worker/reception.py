"""Receiving messages: whatever lies on the queue, the worker goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from celery import bootsteps, signals
from celery.app.task import Context
from celery.exceptions import NotRegistered
from celery.utils.log import get_logger
from celery.worker import strategy
from celery.worker.request import Request

from taskgate.store.tables import ID_LENGTH
from taskgate.tasks.bodies import note_content
from taskgate.tasks.brokers.transports import UNREADABLE
from taskgate.tasks.messages import ATTEMPT_HEADER
from taskgate.tasks.signature import ArgumentsInvalid

logger = get_logger(__name__)

RETURN_SECONDS = 1.0
"""How long a message waits that could not be handled for a reason that is not its own."""

LONGEST_LIMIT = 10**9
"""Seconds; what is longer, or less than none, no timer can wait for."""

_strategy: Any = strategy  # of which its stubs leave much out

_NO_CANVAS = {"chord": None, "chain": None, "errbacks": None}

Handler = Callable[[Any], Any]


class CarefulReception(bootsteps.Step):
    """Has the consumer drop messages that it could not survive, and fail tasks it cannot read."""

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        create = consumer.create_task_handler
        consumer.create_task_handler = lambda *args, **kwargs: _careful(
            create(*args, **kwargs), consumer
        )
        on_decode_error, on_invalid_task = consumer.on_decode_error, consumer.on_invalid_task

        def decode_error(message: Any, exc: Exception) -> None:
            on_decode_error(message, exc)
            _refuse(message, exc, consumer)

        def invalid_task(body: Any, message: Any, exc: Exception) -> None:
            on_invalid_task(body, message, exc)
            _refuse(message, exc, consumer)

        consumer.on_decode_error, consumer.on_invalid_task = decode_error, invalid_task
        on_unknown_task = consumer.on_unknown_task

        def unknown_task(body: Any, message: Any, exc: Exception) -> None:
            if message.headers is None or "task" not in message.headers:
                on_unknown_task(body, message, exc)  # a message of protocol 1
            else:
                _fail_unknown(message, exc, consumer)

        consumer.on_unknown_task = unknown_task

    def include(self, parent: Any) -> bool:
        """There is nothing to start or stop."""
        del parent
        return True


def _careful(handle: Handler, consumer: Any) -> Handler:
    of_connection = (*consumer.connection_errors, *consumer.channel_errors)

    def receive(message: Any) -> None:
        problem = problem_with(_fields(message))
        if problem is not None:
            _drop(message, problem, consumer)
            return
        try:
            note_content(message)
        except UNREADABLE as exc:
            _drop(message, repr(exc), consumer)
            return
        try:
            handle(message)
        except Exception as exc:
            # First, as kombu's errors of connections include ones that any code can raise.
            malformed = _malformation(message, consumer)
            if malformed is not None:
                _drop(message, repr(malformed), consumer)
                _refuse(message, malformed, consumer)
            elif isinstance(exc, of_connection):
                raise
            else:
                logger.exception("a message could not be handled; it is put back")
                _put_back_later(message, consumer)

    return receive


def _fields(message: Any) -> Any:
    """What says of a message which task it is of: its headers, and of protocol 1 also its body."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    priority = {"priority": message.properties.get("priority")}
    if "task" in headers:
        return {**headers, **priority}
    try:
        payload = message.payload
    except Exception:  # noqa: BLE001 - Celery's own handler says so, and has it dropped
        return None
    return {**payload, **headers, **priority} if isinstance(payload, Mapping) else None


def _malformation(message: Any, consumer: Any) -> Exception | None:
    """Why Celery could make no request of the message; None if it could.

    Asked after an error: what the worker handles a message with can be anyone's (instrumentation,
    a task's own class of requests), and only what the message itself leads to is the message's
    fault.
    """
    try:
        body, headers, decoded, utc = _as_strategy_reads(message, consumer.app)
        task: Any = consumer.app.tasks.get(headers["task"]) or SimpleNamespace(ignore_result=False)
        request = Request(
            message,
            app=consumer.app,
            task=task,
            body=body,
            headers=headers,
            decoded=decoded,
            utc=utc,
        )
        if request.eta is not None:
            request.eta.timestamp()
        _time_limit, _soft_time_limit = request.time_limits
    except Exception as exc:  # noqa: BLE001 - whatever it is, that is why
        return exc
    return None


def _as_strategy_reads(message: Any, app: Any) -> tuple[Any, Any, bool, bool]:
    payload = message.payload
    if "task" not in (message.headers or {}):
        return _strategy.proto1_to_proto2(message, payload)  # type: ignore[no-any-return]
    if "args" in payload:
        return _strategy.hybrid_to_proto2(message, payload)  # type: ignore[no-any-return]
    return message.body, message.headers, False, app.uses_utc_timezone()


def _put_back_later(message: Any, consumer: Any) -> None:
    def put_back() -> None:
        if not message.acknowledged:
            message.reject_log_error(logger, consumer.connection_errors, requeue=True)

    # The timer may be a thread of its own; the connection belongs to the consumer's.
    consumer.timer.call_after(RETURN_SECONDS, consumer.call_soon, (put_back,))


def problem_with(fields: Any) -> str | None:
    """What is wrong with a task message's headers; None if nothing is, or if it is none."""
    if not isinstance(fields, Mapping) or "task" not in fields:
        return None
    for name, is_right, wrong in _FIELDS:
        value = fields.get(name)
        if not is_right(value):
            return f"{name}={value!r:.40}: {wrong}"
    return None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_LENGTH


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _is_attempt(value: Any) -> bool:
    return value is None or (isinstance(value, int) and value > 0)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _are_names(value: Any) -> bool:
    return not value or (isinstance(value, list | tuple) and all(map(_is_name, value)))


def _are_stamps(value: Any) -> bool:
    return not value or isinstance(value, Mapping)


def _are_limits(value: Any) -> bool:
    is_pair = isinstance(value, list | tuple) and len(value) == len(("hard", "soft"))
    return value is None or (is_pair and all(map(_is_limit, value)))


def _is_limit(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and 0 <= value <= LONGEST_LIMIT)


_FIELDS: Sequence[tuple[str, Callable[[Any], bool], str]] = (
    ("id", _is_id, "not an id"),
    ("task", _is_name, "not a name"),
    (ATTEMPT_HEADER, _is_attempt, "not a number from 1"),
    ("retries", _is_number, "not a number"),
    ("timelimit", _are_limits, "not two numbers of seconds"),
    ("priority", _is_number, "not a number"),
    ("stamped_headers", _are_names, "not names"),
    ("stamps", _are_stamps, "not stamps by their names"),
)
"""What the worker relies on, and Celery does not look at."""


def _refuse(message: Any, exc: Exception, consumer: Any) -> None:
    """Fail the task of an unreadable message of ours: it would be published again and again."""
    headers = message.headers or {}
    if "task" not in headers or ATTEMPT_HEADER not in headers or problem_with(headers):
        return
    request = SimpleNamespace(**_NO_CANVAS, **{ATTEMPT_HEADER: headers[ATTEMPT_HEADER]})
    error = ArgumentsInvalid(f"the message cannot be read: {exc}")
    consumer.app.backend.mark_as_failure(headers["id"], error, request=request)


def _fail_unknown(message: Any, exc: Exception, consumer: Any) -> None:
    """Fail a task whose type is not registered here, as Celery does: but its own attempt only."""
    task_id, name = message.headers["id"], message.headers["task"]
    logger.error("task %s: the type %s is not registered here: %r", task_id, name, exc)
    message.reject_log_error(logger, consumer.connection_errors)
    args, kwargs, embed = message.payload
    fields = {**message.headers, **(embed or {}), "args": args, "kwargs": kwargs}
    request = Context(fields, delivery_info=message.delivery_info, called_directly=False)
    consumer.app.backend.mark_as_failure(task_id, NotRegistered(name), request=request)
    if consumer.event_dispatcher:
        consumer.event_dispatcher.send(
            "task-failed", uuid=task_id, exception=f"NotRegistered({name!r})"
        )
    signals.task_unknown.send(sender=consumer, message=message, exc=exc, name=name, id=task_id)


def _drop(message: Any, problem: str, consumer: Any) -> None:
    logger.error("a message was dropped: %s; headers: %.500r", problem, message.headers)
    if not message.acknowledged:
        message.reject_log_error(logger, consumer.connection_errors)
