"""SubmitBatch: each item admitted for itself, all of them recorded in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taskgate.server.api.errors import InvalidRequest, RequestError, Violation
from taskgate.server.api.statuses import meaning_of, status_of
from taskgate.server.background.writer import Writer
from taskgate.server.messages.conversion import basic_task_message
from taskgate.server.requests.new_tasks import Admission
from taskgate.store.errors import RequestIdReused
from taskgate.store.record import NewTask, Task
from taskgate.v1 import task_service_pb2

MOST_REQUESTS = 1_000

Result = task_service_pb2.SubmitBatchResult


@dataclass(frozen=True, slots=True)
class Batches:
    """Submits many tasks at once."""

    admission: Admission
    writer: Writer

    async def submit(
        self, requests: Sequence[task_service_pb2.SubmitRequest], caller: str
    ) -> list[Result]:
        """What became of each request, in their order.

        Raises:
            InvalidRequest: there are none, or too many.
            StoreUnavailable: the database does not answer.
            ShuttingDown: the server is going.
        """
        if not 1 <= len(requests) <= MOST_REQUESTS:
            description = f"{len(requests)} were given; give 1 to {MOST_REQUESTS}"
            raise InvalidRequest([Violation("requests", description)])
        verdicts = await self.admission.submissions(requests, caller)
        admitted = [verdict for verdict in verdicts if isinstance(verdict, NewTask)]
        recorded = await self.writer.submit_all(admitted) if admitted else []
        outcomes = dict(zip((new.id for new in admitted), recorded, strict=True))
        return [
            _result(outcomes[verdict.id] if isinstance(verdict, NewTask) else verdict)
            for verdict in verdicts
        ]


def _result(outcome: Task | RequestIdReused | RequestError) -> Result:
    if isinstance(outcome, Task):
        return Result(task=basic_task_message(outcome))
    meaning = meaning_of(outcome)
    if meaning is None:
        raise outcome
    return Result(error=status_of(outcome, meaning))
