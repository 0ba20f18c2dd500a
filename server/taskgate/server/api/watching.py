"""Watch: the stream of a request's tasks, until all of them are final."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from taskgate.server.background.watcher import Watcher
from taskgate.server.messages.conversion import basic_task_message, task_message
from taskgate.server.records import Records
from taskgate.server.requests import checks
from taskgate.server.requests.violations import Violations
from taskgate.store import queries
from taskgate.v1 import task_service_pb2

MOST_TASKS = 1_000


@dataclass(frozen=True, slots=True)
class Watching:
    """Streams tasks as they change."""

    records: Records
    watcher: Watcher

    async def stream(
        self, request: task_service_pb2.WatchRequest
    ) -> AsyncIterator[task_service_pb2.WatchResponse]:
        """Each task as it is, unless that was seen, then each newer version.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: one of the tasks has no record.
            StoreUnavailable: the database does not answer at the start.
            ShuttingDown: the server is going; another one can go on where this one ended.
        """
        is_basic = checks.view(request.view) == task_service_pb2.TASK_VIEW_BASIC
        unfinished = await self._without_seen_ends(_seen(request))
        message = basic_task_message if is_basic else task_message
        with self.watcher.watch(unfinished) as subscription:
            while unfinished:
                task = await subscription.change()
                if task.is_final:
                    del unfinished[task.id]
                yield task_service_pb2.WatchResponse(task=message(task))

    async def _without_seen_ends(self, seen: dict[str, int]) -> dict[str, int]:
        """What can still change: of a task whose final version was seen nothing new will come."""
        ids = [task_id for task_id, version in seen.items() if version]
        tasks = await self.records.read(lambda tx: queries.get_many(tx, ids)) if ids else {}
        ended = {task.id for task in tasks.values() if task.is_final}
        return {
            task_id: version
            for task_id, version in seen.items()
            if task_id not in ended or tasks[task_id].version > version
        }


def _seen(request: task_service_pb2.WatchRequest) -> dict[str, int]:
    violations = Violations()
    if not 1 <= len(request.tasks) <= MOST_TASKS:
        violations.add("tasks", f"{len(request.tasks)} were given; give 1 to {MOST_TASKS}")
        violations.raise_if_any()
    seen: dict[str, int] = {}
    for index, watched in enumerate(request.tasks):
        task_id = checks.task_id(watched.id, f"tasks[{index}].id")
        if task_id in seen:
            violations.add(f"tasks[{index}].id", f"{task_id} is there twice")
        if watched.seen_version < 0:
            violations.add(f"tasks[{index}].seen_version", f"{watched.seen_version} is negative")
        seen[task_id] = watched.seen_version
    violations.raise_if_any()
    return seen
