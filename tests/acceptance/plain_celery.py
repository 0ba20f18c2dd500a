"""A Celery program that knows of taskgate nothing but the address of its result backend.

`python plain_celery.py BROKER BACKEND COMMAND [ARGUMENT]` prints what the command found, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from celery import Celery, chain, chord, group
from celery.contrib.abortable import AbortableAsyncResult
from celery.result import AsyncResult

SECONDS = 30

# SQLAlchemy 2.1 would choose psycopg 3.
BROKER = sys.argv[1].replace("sqla+postgresql:", "sqla+postgresql+psycopg2:")

app = Celery(broker=BROKER, backend=sys.argv[2])
if BROKER.startswith("amqp"):
    app.conf.task_queue_max_priority = 10  # as taskgate declares its queues


@app.task(name="demo.add")
def add(x: int, y: int) -> int:
    """Known here by its name only: it runs elsewhere."""
    raise NotImplementedError


@app.task(name="demo.echo")
def echo(value: Any) -> Any:
    """As `add`."""
    raise NotImplementedError


@app.task(name="demo.fail")
def fail(message: str) -> None:
    """As `add`."""
    raise NotImplementedError


def get(task_id: str) -> Any:
    """The result of a task that someone else submitted."""
    return AsyncResult(task_id, app=app).get(timeout=SECONDS)


def describe(task_id: str) -> Any:
    """What Celery says about a task."""
    result = AsyncResult[Any](task_id, app=app)
    return {
        "state": result.state,
        "ready": result.ready(),
        "result": repr(result.result),
        "name": result.name,
        "args": result.args,
        "kwargs": result.kwargs,
        "has_traceback": bool(result.traceback),
    }


def abort(task_id: str) -> Any:
    """Abort as Celery's contrib module does."""
    result: AbortableAsyncResult[Any] = AbortableAsyncResult(task_id, app=app)
    result.abort()
    return {"state": result.state, "is_aborted": result.is_aborted()}


def delay() -> Any:
    """A task that no gRPC call submitted."""
    result = add.delay(2, 3)
    return {"id": result.id, "result": result.get(timeout=SECONDS)}


def send(queue: str) -> Any:
    """A task for another queue; its id."""
    return add.apply_async((2, 3), queue=queue).id


def in_group() -> Any:
    """Ten tasks at once."""
    result: Any = group(add.s(number, 1) for number in range(10)).apply_async()
    return {"ids": [one.id for one in result], "result": result.get(timeout=SECONDS)}


def in_chord() -> Any:
    """A task that runs when ten others have, with their results."""
    result = chord(add.s(number, 1) for number in range(10))(echo.s())
    return {"id": result.id, "result": result.get(timeout=SECONDS)}


def in_chain() -> Any:
    """A task after another, with its result."""
    return chain(add.s(1, 2), add.s(3))().get(timeout=SECONDS)


def catch() -> Any:
    """The exception of a task that failed."""
    try:
        fail.delay("on purpose").get(timeout=SECONDS)
    except RuntimeError as error:
        return repr(error)
    return None


COMMANDS = {
    command.__name__: command
    for command in (get, describe, abort, delay, send, in_group, in_chord, in_chain, catch)
}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[3]](*sys.argv[4:])))
