"""Calls about many tasks: what they choose, and the operations that they begin."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from google.protobuf import json_format
from sqlalchemy import Connection

from taskgate.server.api.lists import DEFAULT_PAGE_SIZE, PageTokens, page_size
from taskgate.server.background.operations import OperationWorker
from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, Violation, Violations
from taskgate.server.messages.operations import operation_message
from taskgate.server.messages.tasks import basic_task_message
from taskgate.server.records import Records
from taskgate.server.requests import fields, filters
from taskgate.store import events, listing, operations, queries
from taskgate.store.errors import OperationNotFound, TaskNotFound, TooManyTasks
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.listing import Filter, Position
from taskgate.store.operations import Kind, NewOperation, Operation, OperationState
from taskgate.store.record import Task, new_task_id
from taskgate.v1 import operations_pb2

logger = logging.getLogger(__name__)

MAX_IDS = 10_000
MAX_RATE = 100_000.0
DEFAULT_RATE = 1_000.0
EXAMPLES = 10
WATCH_SECONDS = 0.5
"""How often an operation is looked at for whom watches it."""

_STATES = {
    Kind.ABORT: frozenset(State) - FINAL,
    Kind.RETRY: frozenset({State.FAILED}),
    Kind.DELETE: FINAL,
}
"""What a filter without states is about."""


class _Begun(NamedTuple):
    total: int
    examples: list[Task]
    operation: Operation | None


@dataclass(frozen=True, slots=True)
class Operations:
    """Begins operations, and says how far they are."""

    records: Records
    worker: OperationWorker

    async def abort(
        self, request: operations_pb2.AbortTasksRequest, caller: Caller
    ) -> operations_pb2.AbortTasksResponse:
        """Abort many tasks; errors are those of ``_begin``."""
        violations = Violations()
        reason = fields.text(request.reason, "reason", fields.MAX_REASON_LENGTH, violations)
        violations.raise_if_any()
        begun = await self._begin(Kind.ABORT, request, reason, caller)
        return operations_pb2.AbortTasksResponse(**_answer(begun))

    async def retry(
        self, request: operations_pb2.RetryTasksRequest, caller: Caller
    ) -> operations_pb2.RetryTasksResponse:
        """Submit many tasks again; errors are those of ``_begin``."""
        begun = await self._begin(Kind.RETRY, request, "", caller)
        return operations_pb2.RetryTasksResponse(**_answer(begun))

    async def delete(
        self, request: operations_pb2.DeleteTasksRequest, caller: Caller
    ) -> operations_pb2.DeleteTasksResponse:
        """Delete many tasks; errors are those of ``_begin``."""
        begun = await self._begin(Kind.DELETE, request, "", caller)
        return operations_pb2.DeleteTasksResponse(**_answer(begun))

    async def get(
        self, request: operations_pb2.GetOperationRequest, caller: Caller
    ) -> operations_pb2.GetOperationResponse:
        """An operation.

        Raises:
            OperationNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        operation = await self._find(request.id, caller)
        return operations_pb2.GetOperationResponse(operation=operation_message(operation))

    async def watch(
        self, request: operations_pb2.WatchOperationRequest, caller: Caller
    ) -> AsyncIterator[operations_pb2.WatchOperationResponse]:
        """An operation as it is, then whenever it has gone on, until it has ended.

        Raises:
            OperationNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        seen: Operation | None = None
        while seen is None or seen.state == OperationState.RUNNING:
            operation = await self._find(request.id, caller)
            if operation != seen:
                seen = operation
                yield operations_pb2.WatchOperationResponse(operation=operation_message(operation))
            if operation.state == OperationState.RUNNING:
                await asyncio.sleep(WATCH_SECONDS)

    async def stop(
        self, request: operations_pb2.StopOperationRequest, caller: Caller
    ) -> operations_pb2.StopOperationResponse:
        """Stop an operation.

        Raises:
            OperationNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        await self._find(request.id, caller)

        def apply(tx: Connection) -> Operation:
            _record(tx, "StopOperation", caller, f"operation {request.id}")
            return operations.stop(tx, request.id)

        stopped = await self.records.write(apply)
        logger.info("operation %s is %s: stop by %r", stopped.id, stopped.state, caller.name)
        return operations_pb2.StopOperationResponse(operation=operation_message(stopped))

    async def list(
        self, request: operations_pb2.ListOperationsRequest, caller: Caller
    ) -> operations_pb2.ListOperationsResponse:
        """A page of the operations that the caller sees, the newest first.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListOperations")
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = _position(tokens.read(request.page_token, length=2))
        whose = None if caller.sees_all else caller.name
        found = await self.records.read(lambda tx: operations.page(tx, after, size + 1, whose))
        shown = found[:size]
        token = ""
        if len(found) > len(shown):
            token = tokens.write([shown[-1].created_at.isoformat(), shown[-1].id])
        return operations_pb2.ListOperationsResponse(
            operations=map(operation_message, shown), next_page_token=token
        )

    async def _find(self, operation_id: str, caller: Caller) -> Operation:
        fields.task_id(operation_id)
        operation = await self.records.read(lambda tx: operations.find(tx, operation_id))
        # What it tells of tasks that the caller must not see is not taken apart.
        if not caller.sees_all and operation.created_by != caller.name:
            raise OperationNotFound(operation_id)
        return operation

    async def _begin(
        self,
        kind: Kind,
        request: operations_pb2.AbortTasksRequest
        | operations_pb2.RetryTasksRequest
        | operations_pb2.DeleteTasksRequest,
        reason: str,
        caller: Caller,
    ) -> _Begun:
        """Record an operation, or say what it would be about.

        Raises:
            InvalidRequest: fields are wrong, or too many tasks fit.
            TaskNotFound: an id has no record that the caller sees.
            RequestIdReused: the request id stands for another operation.
            StoreUnavailable: the database does not answer.
        """
        wanted = _wanted(kind, request.selection)
        rate, request_id = _options(request.options)
        if wanted.ids:
            on_record = await self.records.resolve_ids(sorted(wanted.ids))
            wanted = replace(wanted, ids=frozenset(on_record.values()))
        new = NewOperation(
            id=new_task_id(),
            kind=kind,
            selection=_text(request.selection),
            reason=reason,
            rate=rate,
            created_by=caller.name,
            request_id=request_id or None,
            request_digest=_digest(kind, request) if request_id else None,
        )

        def begin(tx: Connection) -> _Begun:
            seen = wanted if caller.sees_all else filters.seen(tx, wanted, caller)
            if seen is None:
                seen = replace(wanted, ids=frozenset([""]))  # no task has it
            _check_are_there(tx, wanted, seen)
            if request.options.dry_run:
                examples = listing.basic_page(tx, _some_of(seen), None, EXAMPLES).tasks
                return _Begun(_count(tx, seen), examples, None)
            operation = operations.create(tx, new, seen)
            if operation.id == new.id:
                detail = f"operation {new.id}: {operation.total} tasks{reason and ': '}{reason}"
                _record(tx, f"{kind.capitalize()}Tasks", caller, detail)
            return _Begun(operation.total, [], operation)

        try:
            run = self.records.read if request.options.dry_run else self.records.write
            begun = await run(begin)
        except TooManyTasks as exc:
            raise InvalidRequest([Violation("selection.filter", str(exc))]) from exc
        if begun.operation is not None:
            self.worker.loop.wake()
            id_, by = begun.operation.id, caller.name
            logger.info("operation %s (%s) of %d tasks, for %r", id_, kind, begun.total, by)
        return begun


def _record(tx: Connection, call: str, caller: Caller, detail: str) -> None:
    events.record(tx, events.Call("", "", "", call, caller.name, caller.peer, detail))


def _answer(begun: _Begun) -> dict[str, Any]:
    operation = begun.operation
    return {
        "total": begun.total,
        "examples": map(basic_task_message, begun.examples),
        "operation": None if operation is None else operation_message(operation),
    }


def _wanted(kind: Kind, selection: operations_pb2.TaskSelection) -> Filter:
    violations = Violations()
    if bool(selection.ids) == selection.HasField("filter"):
        violations.add("selection", "give ids or a filter; an empty filter is for all tasks")
    if len(selection.ids) > MAX_IDS:
        violations.add("selection.ids", f"{len(selection.ids)} are too many; give up to {MAX_IDS}")
    violations.raise_if_any()
    if selection.ids:
        named = (fields.task_id(one, f"selection.ids[{n}]") for n, one in enumerate(selection.ids))
        return Filter(ids=frozenset(named))
    wanted = filters.read(selection.filter)
    return wanted if wanted.states else replace(wanted, states=_STATES[kind])


def _options(options: operations_pb2.OperationOptions) -> tuple[float, str]:
    """Tasks a second, and the request id."""
    violations = Violations()
    rate = options.tasks_per_second
    if not (0 <= rate <= MAX_RATE) or math.isnan(rate):
        field = "options.tasks_per_second"
        violations.add(field, f"{rate:g} is not within 0 (the default) to {MAX_RATE:g}")
    longest = fields.MAX_REQUEST_ID_LENGTH
    request_id = fields.text(options.request_id, "options.request_id", longest, violations)
    violations.raise_if_any()
    return rate or DEFAULT_RATE, request_id


def _text(selection: operations_pb2.TaskSelection) -> str:
    if not selection.HasField("filter"):
        return ""
    return json_format.MessageToJson(selection.filter, indent=None)


def _digest(kind: Kind, request: Any) -> str:
    text = json_format.MessageToJson(request, indent=None, sort_keys=True)
    return hashlib.sha256(f"{kind} {text}".encode()).hexdigest()


def _check_are_there(tx: Connection, wanted: Filter, seen: Filter) -> None:
    """See that each id that was named has a record."""
    if not wanted.ids:
        return
    if seen is wanted:
        there = set(queries.versions(tx, wanted.ids))
    else:
        found = queries.get_many(tx, wanted.ids).values()
        there = {one.id for one in found if _fits(one, seen)}
    if missing := wanted.ids - there:
        raise TaskNotFound(min(missing))


def _fits(task: Task, seen: Filter) -> bool:
    of_type = not seen.task_types or task.task_type in seen.task_types
    return of_type and (not seen.queues or task.queue in seen.queues) and "" not in seen.ids


def _some_of(wanted: Filter) -> Filter:
    """As many of the ids as there are examples: each is a search of its own."""
    return replace(wanted, ids=frozenset(sorted(wanted.ids)[:EXAMPLES]))


def _count(tx: Connection, wanted: Filter) -> int:
    total = listing.count(tx, wanted, operations.MOST_TASKS + 1)
    if total > operations.MOST_TASKS:
        raise TooManyTasks(f"more than {operations.MOST_TASKS:,} tasks fit")
    return total


def _position(parts: list[str] | None) -> Position | None:
    if parts is None:
        return None
    created_at, operation_id = parts
    return Position(datetime.fromisoformat(created_at).astimezone(UTC), operation_id)
