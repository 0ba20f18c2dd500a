"""Workers as the API's messages."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from taskgate.server.requests.text import printable
from taskgate.store.workers import Worker
from taskgate.v1 import worker_pb2


def worker_message(worker: Worker, active_tasks: int) -> worker_pb2.Worker:
    """A worker, with how many tasks it runs according to the record."""
    details = worker.details
    return worker_pb2.Worker(
        id=printable(worker.id),
        state=_state(worker),
        host=printable(str(details.get("host", ""))),
        pid=details.get("pid") or 0,
        pool=printable(str(details.get("pool", ""))),
        concurrency=details.get("concurrency") or 0,
        queues=[printable(queue) for queue in details.get("queues") or ()],
        can_force_abort=details.get("can_force") is True,
        start_time=_timestamp(worker.started_at),
        lease_expire_time=_timestamp(worker.lease_expires_at),
        stop_time=_timestamp(worker.stopped_at or worker.lost_at),
        active_tasks=active_tasks,
    )


def _state(worker: Worker) -> worker_pb2.WorkerState.ValueType:
    if worker.is_alive:
        return worker_pb2.WORKER_STATE_ALIVE
    if worker.stopped_at is not None:
        return worker_pb2.WORKER_STATE_STOPPED
    return worker_pb2.WORKER_STATE_LOST


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time)
    return message
