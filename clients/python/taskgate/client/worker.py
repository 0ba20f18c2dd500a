"""The worker as a client sees it: a process that runs tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from taskgate.client.values import from_timestamp
from taskgate.v1 import worker_pb2


class WorkerState(StrEnum):
    """Whether a worker is at work."""

    UNSPECIFIED = "UNSPECIFIED"
    """A state that this version of the client does not know."""
    ALIVE = "ALIVE"
    """Its lease runs."""
    STOPPED = "STOPPED"
    """It stopped by itself."""
    LOST = "LOST"
    """Its lease ran out."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs tasks."""

    id: str
    """As in ``Task.worker``."""
    state: WorkerState
    host: str
    pid: int
    pool: str
    """Celery's: ``prefork``, ``threads``, ``solo``, …"""
    concurrency: int
    """How many tasks it runs at once."""
    queues: tuple[str, ...]
    can_force_abort: bool
    start_time: datetime
    lease_expire_time: datetime
    """Until when it is believed to live."""
    stop_time: datetime | None
    """When it stopped, or was found dead."""
    active_tasks: int
    """How many tasks it runs, according to the record."""


def worker_from_message(message: worker_pb2.Worker) -> Worker:
    """The only place where a message becomes a Worker."""
    return Worker(
        id=message.id,
        state=_state(message.state),
        host=message.host,
        pid=message.pid,
        pool=message.pool,
        concurrency=message.concurrency,
        queues=tuple(message.queues),
        can_force_abort=message.can_force_abort,
        start_time=from_timestamp(message.start_time),
        lease_expire_time=from_timestamp(message.lease_expire_time),
        stop_time=from_timestamp(message.stop_time) if message.HasField("stop_time") else None,
        active_tasks=message.active_tasks,
    )


def _state(number: worker_pb2.WorkerState.ValueType) -> WorkerState:
    if number not in worker_pb2.WorkerState.values():
        return WorkerState.UNSPECIFIED
    return WorkerState(worker_pb2.WorkerState.Name(number).removeprefix("WORKER_STATE_"))
