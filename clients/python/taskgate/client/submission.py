"""The submission: what to run, and how."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskgate.client.retry_policy import RetryPolicy
from taskgate.client.unique import Unique
from taskgate.client.values import arguments_json, to_duration, to_timestamp
from taskgate.v1 import task_service_pb2

MOST_IN_A_BATCH = 1_000
"""Submissions in one request."""

MOST_BATCH_BYTES = 2 << 20
"""Of one request that has several submissions. Servers take 8 MiB unless told otherwise."""


def _new_request_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Submission:
    """What to run, and how. Submitted twice it is still one task, by its ``request_id``."""

    task_type: str
    """The Celery name of the function, ``demo.add``."""
    args: Sequence[Any] = ()
    """The positional arguments, JSON values."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """The keyword arguments, JSON values."""
    queue: str = ""
    """The queue; the task type's own if empty."""
    priority: int | None = None
    """From 0 to 9; 9 goes first."""
    delay: float | None = None
    """Seconds to wait before it runs."""
    schedule_time: datetime | None = None
    """When to run it, instead of ``delay``."""
    ttl: float | None = None
    """Seconds after it is due when it expires if it has not started."""
    expire_time: datetime | None = None
    """When it expires if it has not started, instead of ``ttl``."""
    run_timeout: float | None = None
    """Seconds that one attempt may run."""
    retry_policy: RetryPolicy | None = None
    """How failed attempts are retried; as the task type says if None."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """To find it by."""
    unique: Unique | None = None
    """What keeps other tasks away."""
    request_id: str = field(default_factory=_new_request_id)
    """Submissions with the same id give the same task; a new one unless given."""

    def message(self) -> task_service_pb2.SubmitRequest:
        """The request.

        Raises:
            TypeError: an argument has no JSON form.
            ValueError: an argument is not finite, or contains itself.
        """
        return task_service_pb2.SubmitRequest(
            task_type=self.task_type,
            arguments_json=arguments_json(self.args, self.kwargs),
            queue=self.queue,
            priority=self.priority,
            delay=to_duration(self.delay),
            schedule_time=to_timestamp(self.schedule_time),
            ttl=to_duration(self.ttl),
            expire_time=to_timestamp(self.expire_time),
            run_timeout=to_duration(self.run_timeout),
            retry_policy=None if self.retry_policy is None else self.retry_policy.message(),
            labels=self.labels,
            unique=None if self.unique is None else self.unique.message(),
            request_id=self.request_id,
        )


def batches(
    requests: Iterable[task_service_pb2.SubmitRequest],
) -> Iterator[task_service_pb2.SubmitBatchRequest]:
    """The requests in their order, as few batches as a server takes."""
    batch = task_service_pb2.SubmitBatchRequest()
    size = 0
    for request in requests:
        request_size = request.ByteSize()
        full = len(batch.requests) == MOST_IN_A_BATCH or size + request_size > MOST_BATCH_BYTES
        if batch.requests and full:
            yield batch
            batch, size = task_service_pb2.SubmitBatchRequest(), 0
        batch.requests.append(request)
        size += request_size
    if batch.requests:
        yield batch
