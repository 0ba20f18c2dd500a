"""Winning the right to run an attempt, before the user's code."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celery.exceptions import Ignore
from celery.utils.log import get_logger
from sqlalchemy import Connection

from taskgate.store import queries, submission, transitions
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.record import Task
from taskgate.store.transitions import Claim
from taskgate.tasks.brokers import priorities
from taskgate.tasks.messages import attempt_of, canvas_of, is_from_taskgate
from taskgate.tasks.run import Run
from taskgate.tasks.serializing import arguments_json
from taskgate.tasks.worker import identity

if TYPE_CHECKING:
    from taskgate.tasks.backend import RecordBackend

LEASE_SECONDS = 0.5
"""How long to wait for the agent to get a lease, in place of one that was ended."""

logger = get_logger(__name__)


def claim(task: Any, request: Any) -> Run:
    """Claim the attempt that the message stands for; waits while the database does not answer.

    Raises:
        Ignore: it is not ours to run: claimed already, aborted, expired, finished or replaced.
    """
    backend: RecordBackend = task.backend
    claiming = Claiming(task, request)
    while True:
        won, found = backend.persistently(request.id, claiming)
        if won is not None:
            request.retries = won.retries
            return Run(won, backend.database)
        if found is None or found.state is not State.QUEUED or found.attempt != attempt_of(request):
            reason = _why_not(request, found)
            logger.info("task %s does not run here: %s", request.id, reason)
            raise Ignore(reason)
        # Ours, but for the lease: it was ended while we were cut off.
        time.sleep(LEASE_SECONDS)


class Claiming:
    """A claim in one transaction after another, until one is known to be committed."""

    def __init__(self, task: Any, request: Any) -> None:
        self._app = task.app
        self._request = request
        self._uncertain: Claim | None = None

    def __call__(self, tx: Connection) -> tuple[Claim | None, Task | None]:
        """The claim if it is won; else the task, if there is one."""
        task_id, attempt = self._request.id, attempt_of(self._request)
        adopt(tx, self._app, task_id, self._request)
        worker = identity.worker_id(self._request.hostname)
        won = transitions.claim(tx, task_id, attempt, worker)
        if won is not None:
            self._uncertain = won
            return won, None
        found = queries.get_many(tx, [task_id]).get(task_id)
        return (self._uncertain if self._is_mine(found) else None), found

    def _is_mine(self, found: Task | None) -> bool:
        """Whether an earlier claim was committed after all, though the database did not say so."""
        mine = self._uncertain
        return (
            mine is not None
            and found is not None
            and found.state in ACTIVE
            and (found.attempt, found.started_at) == (mine.attempt, mine.started_at)
        )


def adopt(tx: Connection, app: Any, task_id: str, request: Any) -> bool:
    """Record, as QUEUED, a task that another producer published; False if it is on record, or was.

    ``request``: whatever is known of its message; None if nothing is.
    """
    if is_from_taskgate(request):
        return False
    delivery = getattr(request, "delivery_info", None) or {}
    name = getattr(request, "task", None) or getattr(request, "name", None)
    return submission.adopt(
        tx,
        {
            "id": task_id,
            "task_type": name or "",
            "state": State.QUEUED,
            "queue": delivery.get("routing_key") or app.conf.task_default_queue,
            "priority": priorities.from_broker(
                delivery.get("priority"), zero_first=priorities.zero_goes_first(app)
            ),
            "arguments": arguments_json(
                getattr(request, "args", None), getattr(request, "kwargs", None)
            ),
            "retries": getattr(request, "retries", None) or 0,
            "expires_at": _expires(request),
            "message": canvas_of(request),
        },
    )


def _expires(request: Any) -> datetime | None:
    expires = getattr(request, "expires", None)
    if isinstance(expires, str):
        expires = datetime.fromisoformat(expires)
    return expires if expires is None or expires.tzinfo else expires.replace(tzinfo=UTC)


def _why_not(request: Any, found: Task | None) -> str:
    attempt = attempt_of(request)
    if found is None:
        return f"attempt {attempt}: there is no record of the task"
    return f"attempt {attempt}: the task is {found.state}, attempt {found.attempt}"
