"""An app of someone who used Celery before: base classes, routes, hooks, and their tasks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from celery import Celery, Task
from celery.signals import task_prerun
from kombu import Exchange, Queue

from support.journal_tasks import write
from taskgate.tasks import manage

app = Celery("users", broker=os.environ["CELERY_BROKER_URL"], set_as_current=False)
app.conf.update(
    accept_content=["json", "pickle", "yaml", "msgpack"],
    task_default_queue="project",
    task_queues=[
        Queue("project", Exchange("project"), routing_key="project"),
        Queue("slow", Exchange("slow"), routing_key="slow"),
        Queue("videos", Exchange("media"), routing_key="media.video"),
        Queue("daily", Exchange("reports", type="topic"), routing_key="report.#"),
    ],
    task_routes={"users.routed": {"queue": "slow"}},
    broker_transport_options={"visibility_timeout": 43200},
)


class Logged(Task):  # type: ignore[type-arg]  # generic in its stubs only
    """Wraps each call, as many base classes do."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ["logged", super().__call__(*args, **kwargs)]


class Counted:
    """A mixin that does, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ["counted", super().__call__(*args, **kwargs)]  # type: ignore[misc]


class CountedAndLogged(Counted, Logged):
    """Both."""


class Early(Task):  # type: ignore[type-arg]
    """Writes a state before it runs."""

    def before_start(self, *_: Any) -> None:
        write(self, "before_start")  # type: ignore[arg-type]
        self.update_state(state="PROGRESS", meta={"current": 0, "total": 1, "message": ""})


@task_prerun.connect
def _prerun(task: Any, **_: Any) -> None:
    if task.name == "users.early":
        write(task, "prerun")


@app.task(name="users.wrapped", base=CountedAndLogged)
def wrapped(x: int) -> int:
    return x


@app.task(name="users.early", base=Early, bind=True)
def early(self: Any, x: int) -> int:
    write(self, "run")
    return x


@app.task(name="users.plain")
def plain() -> str:
    return "plain"


@app.task(name="users.routed")
def routed() -> str:
    return "routed"


@app.task(name="users.raises_base_exception")
def raises_base_exception(name: str) -> None:
    match name:
        case "SystemExit":
            sys.exit(3)
        case "KeyboardInterrupt":
            raise KeyboardInterrupt
    raise asyncio.CancelledError("gone")


@app.task(name="users.types")
def types(*values: Any) -> list[str]:
    return [type(value).__name__ for value in values]


@app.task(name="users.once_more", bind=True, max_retries=2, default_retry_delay=0)
def once_more(self: Any, *values: Any, **options: Any) -> dict[str, Any]:
    """Retry once, with the options; what the next attempt finds."""
    if self.request.retries < 1:
        raise self.retry(**options)
    return {
        "values": [repr(value) for value in values],
        "queue": self.request.delivery_info["routing_key"],
        "limits": self.request.timelimit,
        "headers": {name: self.request.get(name) for name in ("x-first", "x-next")},
    }


@app.task(name="users.twice_the_same", bind=True, max_retries=2, default_retry_delay=0)
def twice_the_same(self: Any, *values: Any, **named: Any) -> list[Any]:
    """Retry once, or lose the process; what the next attempt finds."""
    lose = named.pop("lose")
    if getattr(self.request, "taskgate_attempt", 1) in (None, 1):
        if lose:
            os.kill(os.getpid(), signal.SIGKILL)
        raise self.retry()
    return [repr(values), repr(named)]


@app.task(name="users.other_arguments", bind=True, max_retries=2, default_retry_delay=0)
def other_arguments(self: Any, value: Any, *, serializer: str | None = None) -> str:
    """Retry with what JSON cannot hold; what the next attempt finds."""
    if self.request.retries == 0:
        options = {"serializer": serializer} if serializer else {}
        raise self.retry(args=({value},), kwargs={}, **options)
    return repr(value)


@app.task(name="users.report_for", bind=True)
def report_for(self: Any, other: str) -> None:
    self.update_state(
        task_id=other, state="PROGRESS", meta={"current": 7, "total": 9, "loss": float("nan")}
    )


@app.task(name="users.coroutine", bind=True)
async def coroutine(self: Any, seconds: float) -> list[Any]:
    """Wait on the loop, and say which it is and what the request is there."""
    write(self, "start")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        write(self, "cancelled")
        raise
    return [id(asyncio.get_running_loop()), self.request.id]


@app.task(
    name="users.flaky_coroutine", bind=True, autoretry_for=(ValueError,), default_retry_delay=0
)
async def flaky_coroutine(self: Any) -> int:
    """Fail once, with an exception that is retried."""
    await asyncio.sleep(0)
    if self.request.retries < 1:
        raise ValueError("once")
    return int(self.request.retries)


manage(app)
