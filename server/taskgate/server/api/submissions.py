"""Calls that make tasks: Submit, SubmitBatch and Retry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from taskgate.server.api.statuses import meaning_of, status_of
from taskgate.server.background.reader import Reader
from taskgate.server.background.writer import Writer
from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, RequestError, Violation
from taskgate.server.messages.tasks import basic_task_message, task_message, weight
from taskgate.server.offload import Offload
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.server.requests.admission import Admission, Admitted, Refused
from taskgate.store.errors import SubmissionRefused, TaskNotFinal
from taskgate.store.record import NewTask, Task
from taskgate.tasks import tracing
from taskgate.v1 import task_service_pb2

logger = logging.getLogger(__name__)

MAX_BATCH = 1_000
"""Requests in one SubmitBatch."""


@dataclass(frozen=True, slots=True)
class Submissions:
    """Admits tasks and records them."""

    admission: Admission
    writer: Writer
    reader: Reader
    records: Records
    offload: Offload

    async def submit(
        self, request: task_service_pb2.SubmitRequest, caller: Caller
    ) -> task_service_pb2.SubmitResponse:
        """Record a task and have it run.

        Raises:
            RequestError: the task is refused.
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer.
        """
        admitted = await self.admission.submission(request, caller)
        task = await self._recorded(admitted)
        logger.debug("task %s (%s) submitted by %r", task.id, task.task_type, caller.name)
        message = await self.offload.run(weight(task), partial(task_message, task))
        return task_service_pb2.SubmitResponse(task=message)

    async def submit_of_schedule(
        self, request: task_service_pb2.SubmitRequest, schedule_id: str, caller: Caller
    ) -> Task:
        """Record a task that names its schedule; errors are those of ``submit``."""
        admitted = await self.admission.submission(request, caller)
        if isinstance(admitted, NewTask):
            admitted = replace(admitted, schedule=schedule_id)
        return await self._recorded(admitted)

    async def submit_batch(
        self, request: task_service_pb2.SubmitBatchRequest, caller: Caller
    ) -> task_service_pb2.SubmitBatchResponse:
        """Record many tasks in one transaction; what became of each request, in their order.

        Raises:
            InvalidRequest: there are no requests, or too many.
            StoreUnavailable: the database does not answer.
            ShuttingDown: the server is going.
        """
        requests = request.requests
        if not 1 <= len(requests) <= MAX_BATCH:
            description = f"{len(requests)} were given; give 1 to {MAX_BATCH}"
            raise InvalidRequest([Violation("requests", description)])
        admitted = await self.admission.submissions(requests, caller)
        outcomes = await self._recorded_all(admitted)
        recorded = sum(isinstance(outcome, Task) for outcome in outcomes)
        counts = recorded, len(outcomes)
        logger.info("%d of %d tasks of a batch recorded for %r", *counts, caller.name)
        return task_service_pb2.SubmitBatchResponse(results=map(_batch_result, outcomes))

    async def retry(
        self, request: task_service_pb2.RetryRequest, caller: Caller
    ) -> task_service_pb2.RetryResponse:
        """Submit a final task again.

        Raises:
            RequestError: the task is refused.
            TaskNotFound: there is no such record.
            TaskNotFinal: the task has not ended.
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer.
        """
        task_id = await self.records.resolve_id(fields.task_id(request.id))
        original = await self.reader.task(task_id)
        caller.check_sees(task_id, original.task_type, original.queue)
        if not original.is_final:
            raise TaskNotFinal(task_id, original.state)
        admitted = await self.admission.retry(request, original, caller)
        task = await self._recorded(admitted)
        logger.info("task %s retries task %s, for %r", task.id, task_id, caller.name)
        message = await self.offload.run(weight(task), partial(task_message, task))
        return task_service_pb2.RetryResponse(task=message)

    async def _recorded(self, admitted: Admitted) -> Task:
        [outcome] = await self._recorded_all([admitted])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _recorded_all(
        self, admitted: Sequence[Admitted | Refused]
    ) -> list[Task | SubmissionRefused | RequestError]:
        """What became of each: what is new is recorded in one transaction."""
        new_tasks = [item for item in admitted if isinstance(item, NewTask)]
        with tracing.span("commit", tasks=len(new_tasks)):
            recorded = await self.writer.submit_all(new_tasks) if new_tasks else []
        outcomes = {new.id: outcome for new, outcome in zip(new_tasks, recorded, strict=True)}
        for new in new_tasks:
            outcome = outcomes[new.id]
            if not isinstance(outcome, Task) or outcome.id != new.id:
                self.admission.capacity.release(new.queue)
        return [outcomes[item.id] if isinstance(item, NewTask) else item for item in admitted]


def _batch_result(
    outcome: Task | SubmissionRefused | RequestError,
) -> task_service_pb2.SubmitBatchResult:
    if isinstance(outcome, Task):
        return task_service_pb2.SubmitBatchResult(task=basic_task_message(outcome))
    meaning = meaning_of(outcome)
    if meaning is None:
        raise outcome
    return task_service_pb2.SubmitBatchResult(error=status_of(outcome, meaning))
