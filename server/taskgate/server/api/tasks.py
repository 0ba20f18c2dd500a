"""Calls on recorded tasks: Get, Abort and Watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from taskgate.server.background.reader import Reader
from taskgate.server.background.watcher import Watcher
from taskgate.server.callers import Caller
from taskgate.server.errors import CannotForceAbort, ShuttingDown, Violations
from taskgate.server.messages.tasks import basic_task_message, task_message, weight
from taskgate.server.offload import Offload
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.server.text import fit, quote
from taskgate.store import events, queries, transitions, workers
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.v1 import task_pb2, task_service_pb2

logger = logging.getLogger(__name__)

MAX_WATCHED = 1_000
"""Tasks in one Watch."""

DEFAULT_GRACE = timedelta(seconds=10)
"""How long a forced abort waits for the task to stop by itself."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Looks tasks up, aborts them, and streams them as they change."""

    records: Records
    reader: Reader
    watcher: Watcher
    offload: Offload
    max_wait: float
    """The longest that a Get may wait, in seconds."""

    async def get(
        self, request: task_service_pb2.GetRequest, caller: Caller, time_remaining: float | None
    ) -> task_service_pb2.GetResponse:
        """The task at once, or once it is final, or as it is when the time is over.

        ``time_remaining``: seconds until the call's deadline; None if it has none.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: there is no such record.
            StoreUnavailable: the database does not answer.
        """
        task_id = await self.records.resolve_id(fields.task_id(request.id))
        violations = Violations()
        wait = fields.duration(request.wait, "wait", violations)
        violations.raise_if_any()
        if not caller.sees_all:  # before it waits, which would tell that there is something
            _check_sees(caller, await self.reader.task(task_id))
        seconds = fields.seconds_to_wait(wait, self.max_wait, time_remaining)
        task = await self._watch_one(task_id, seconds) if seconds > 0 else None
        if task is None or (self.watcher.is_cut_off and not task.is_final):
            task = await self.reader.task(task_id)
        return task_service_pb2.GetResponse(task=await self._message(task))

    async def abort(
        self, request: task_service_pb2.AbortRequest, caller: Caller
    ) -> task_service_pb2.AbortResponse:
        """Abort a task; the task after the request.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: there is no such record.
            TaskAlreadyFinal: the task has ended otherwise.
            CannotForceAbort: the task runs where force cannot be used; nothing was changed.
            StoreUnavailable: the database does not answer.
        """
        task_id = await self.records.resolve_id(fields.task_id(request.id))
        violations = Violations()
        reason = fields.text(request.reason, "reason", fields.MAX_REASON_LENGTH, violations)
        grace = DEFAULT_GRACE
        if request.HasField("grace_period"):
            grace = fields.duration(request.grace_period, "grace_period", violations)
        violations.raise_if_any()
        force_after = grace if request.force else None

        asked = f"within {grace.total_seconds():g} s, by force" if request.force else ""
        detail = ": ".join(filter(None, (asked, reason)))

        def apply(tx: Connection) -> Task:
            found = queries.get(tx, task_id)
            _check_sees(caller, found)
            about = (task_id, found.task_type, found.queue)
            events.record(tx, events.Call(*about, "Abort", caller.name, caller.peer, detail))
            task = transitions.request_abort(
                tx, task_id, by=caller.name, reason=reason, force_after=force_after
            )
            # Only now does the record say, past any race, whether a worker has the task, and which.
            if force_after is not None and task.state is State.ABORTING:
                _check_can_be_forced(tx, task)
            return task

        task = await self.records.write(apply)
        self.watcher.wake(task.id)
        by, why = caller.name, fit(reason, 200)
        logger.info("task %s is %s: abort by %r: %s", task.id, task.state, by, why)
        return task_service_pb2.AbortResponse(task=await self._message(task))

    async def watch(
        self, request: task_service_pb2.WatchRequest, caller: Caller
    ) -> AsyncIterator[task_service_pb2.WatchResponse]:
        """Each task as it is, unless that was seen, then each newer version, until all are final.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: one of the tasks has no record.
            StoreUnavailable: the database does not answer at the start.
            ShuttingDown: the server is going; another one can go on where this one ended.
        """
        is_basic = fields.view(request.view) == task_service_pb2.TASK_VIEW_BASIC
        unfinished = await self._without_seen_ends(await self._seen(request), caller)
        with self.watcher.watch(unfinished) as subscription:
            while unfinished:
                task = await subscription.change()
                _check_sees(caller, task)
                if task.is_final:
                    del unfinished[task.id]
                message = basic_task_message(task) if is_basic else await self._message(task)
                yield task_service_pb2.WatchResponse(task=message)

    async def _message(self, task: Task) -> task_pb2.Task:
        return await self.offload.run(weight(task), partial(task_message, task))

    async def _watch_one(self, task_id: str, seconds: float) -> Task | None:
        """The newest state seen before the time is over; None if there was none."""
        task = None
        try:
            with self.watcher.watch({task_id: 0}) as subscription:
                async with asyncio.timeout(seconds):
                    while task is None or not task.is_final:
                        task = await subscription.change()
        except (TimeoutError, ShuttingDown):
            return task
        return task

    async def _seen(self, request: task_service_pb2.WatchRequest) -> dict[str, int]:
        """The versions seen, by the ids of the tasks to watch."""
        violations = Violations()
        if not 1 <= len(request.tasks) <= MAX_WATCHED:
            violations.add("tasks", f"{len(request.tasks)} were given; give 1 to {MAX_WATCHED}")
            violations.raise_if_any()
        given = [
            fields.task_id(watched.id, f"tasks[{index}].id")
            for index, watched in enumerate(request.tasks)
        ]
        on_record = await self.records.resolve_ids(given)
        seen: dict[str, int] = {}
        for index, watched in enumerate(request.tasks):
            task_id = on_record[watched.id]
            if task_id in seen:
                violations.add(f"tasks[{index}].id", f"{quote(task_id)} is there twice")
            if watched.seen_version < 0:
                field = f"tasks[{index}].seen_version"
                violations.add(field, f"{watched.seen_version} is negative")
            seen[task_id] = watched.seen_version
        violations.raise_if_any()
        return seen

    async def _without_seen_ends(self, seen: dict[str, int], caller: Caller) -> dict[str, int]:
        """What can still change: of a task whose final version was seen nothing new will come."""
        ids = [task_id for task_id, version in seen.items() if version]
        tasks = await self.records.read(lambda tx: queries.get_many(tx, ids)) if ids else {}
        for task in tasks.values():
            _check_sees(caller, task)
        ended = {task.id for task in tasks.values() if task.is_final}
        return {
            task_id: version
            for task_id, version in seen.items()
            if task_id not in ended or tasks[task_id].version > version
        }


def _check_sees(caller: Caller, task: Task) -> None:
    caller.check_sees(task.id, task.task_type, task.queue)


def _check_can_be_forced(tx: Connection, task: Task) -> None:
    worker = workers.find(tx, task.worker or "")
    details = worker.details if worker else {}
    if details.get("can_force") is not True:
        raise CannotForceAbort(task.id, task.worker or "", str(details.get("pool", "")))
