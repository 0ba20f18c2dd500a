"""Abort requests: what they ask for, and whether force can be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from taskgate.server.api.errors import CannotForceAbort
from taskgate.server.requests import checks, times
from taskgate.server.requests.violations import Violations
from taskgate.store import transitions, workers
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.v1 import task_service_pb2

DEFAULT_GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class AbortCall:
    """What an Abort asks for."""

    task_id: str
    by: str
    reason: str
    force_after: timedelta | None
    """None: the task is asked to stop, and no more."""

    def carry_out(self, tx: Connection) -> Task:
        """The task after the request.

        Raises:
            TaskNotFound: there is no such record.
            TaskAlreadyFinal: the task has ended otherwise.
            CannotForceAbort: the task runs where force cannot be used; nothing may be committed.
        """
        task = transitions.request_abort(
            tx, self.task_id, by=self.by, reason=self.reason, force_after=self.force_after
        )
        # Only now does the record say, past any race, whether a worker has the task, and which.
        if self.force_after is not None and task.state is State.ABORTING:
            _see_that_it_can_be_forced(tx, task)
        return task


def read(request: task_service_pb2.AbortRequest, by: str) -> AbortCall:
    """What the request asks for.

    Raises:
        InvalidRequest: fields are wrong.
    """
    task_id = checks.task_id(request.id)
    violations = Violations()
    reason = checks.text(request.reason, "reason", checks.LONGEST_REASON, violations)
    grace = DEFAULT_GRACE
    if request.HasField("grace_period"):
        grace = times.duration(request.grace_period, "grace_period", violations)
    violations.raise_if_any()
    return AbortCall(task_id, by, reason, grace if request.force else None)


def _see_that_it_can_be_forced(tx: Connection, task: Task) -> None:
    worker = workers.find(tx, task.worker or "")
    details = worker.details if worker else {}
    if details.get("can_force") is not True:
        raise CannotForceAbort(task.id, task.worker or "", str(details.get("pool", "")))
