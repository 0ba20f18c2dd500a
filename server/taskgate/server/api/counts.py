"""Count: how many tasks fit a filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, Violation
from taskgate.server.messages.tasks import enum_value
from taskgate.server.records import Records
from taskgate.server.requests import filters
from taskgate.server.text import printable
from taskgate.store import counts
from taskgate.store.listing import Filter
from taskgate.v1 import counts_pb2, task_pb2


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts tasks."""

    records: Records

    async def count(
        self, request: counts_pb2.CountRequest, caller: Caller
    ) -> counts_pb2.CountResponse:
        """How many tasks fit, of those that the caller sees.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        if request.group_by not in counts_pb2.CountBy.values():
            raise InvalidRequest([Violation("group_by", f"{request.group_by} is none of them")])
        wanted = filters.read(request.filter)
        if wanted.root_ids:
            on_record = await self.records.resolve_ids([*wanted.root_ids])
            wanted = replace(wanted, root_ids=frozenset(on_record.values()))

        def answer(tx: Connection) -> counts_pb2.CountResponse:
            seen = wanted if caller.sees_all else filters.seen(tx, wanted, caller)
            if seen is None:
                return counts_pb2.CountResponse()
            total = counts.count(tx, seen)
            return counts_pb2.CountResponse(
                tasks=total.tasks,
                estimated=total.is_estimate,
                groups=_groups(tx, seen, request.group_by),
            )

        return await self.records.read(answer)


def _groups(
    tx: Connection, wanted: Filter, by: counts_pb2.CountBy.ValueType
) -> Iterator[counts_pb2.CountGroup]:
    match by:
        case counts_pb2.COUNT_BY_STATE:
            for state, number in counts.by_state(tx, wanted).items():
                yield counts_pb2.CountGroup(
                    state=enum_value(task_pb2.TaskState, "TASK_STATE", state),
                    tasks=number.tasks,
                    estimated=number.is_estimate,
                )
        case counts_pb2.COUNT_BY_TASK_TYPE:
            for name, number in counts.by_task_type(tx, wanted).items():
                yield counts_pb2.CountGroup(
                    task_type=printable(name), tasks=number.tasks, estimated=number.is_estimate
                )
        case counts_pb2.COUNT_BY_QUEUE:
            for name, number in counts.by_queue(tx, wanted).items():
                yield counts_pb2.CountGroup(
                    queue=printable(name), tasks=number.tasks, estimated=number.is_estimate
                )
