"""What Celery reads of its results, in the record: the half of the backend for every program."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar

from celery import states
from celery.backends.base import (  # type: ignore[attr-defined]  # not all in its stubs
    BaseBackend,
    unpickle_backend,
)
from celery.contrib.abortable import ABORTED
from celery.exceptions import TaskRevokedError
from celery.exceptions import TimeoutError as CeleryTimeout
from celery.result import result_from_tuple
from sqlalchemy import Connection

from taskgate.store import canvas, queries, sweeping
from taskgate.store.database.engine import Database
from taskgate.store.database.urls import hide_passwords
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.tasks.failures import TaskExited, celery_error
from taskgate.tasks.recording import until_answered
from taskgate.tasks.serializing import from_json

T = TypeVar("T")

_STATES = {
    State.SCHEDULED: states.PENDING,
    State.QUEUED: states.PENDING,
    State.RUNNING: states.STARTED,
    State.RETRYING: states.RETRY,
    State.ABORTING: ABORTED,
    State.SUCCEEDED: states.SUCCESS,
    State.FAILED: states.FAILURE,
    State.ABORTED: ABORTED,
    State.EXPIRED: states.REVOKED,
}

_REVOKED = frozenset({"revoked", "terminated"})
"""The reasons with which a worker records what ``control.revoke`` ended."""


def meta_of(task_id: str, task: Task | None) -> dict[str, Any]:
    """A task's meta as Celery's backends give it; PENDING for an unknown id.

    ``is_final`` is ours: ABORTED is Celery's word also for a task that still runs.
    """
    if task is None:
        return {"task_id": task_id, "status": states.PENDING, "result": None, "is_final": False}
    status, result = _status_and_result(task)
    arguments = from_json(task.arguments)
    carried = json.loads(task.message) if task.message else {}
    if task.state is State.SUCCEEDED and carried.get("ignore_result"):
        result = None  # the record has it
    return {
        "task_id": task.id,
        "status": status,
        "result": result,
        "is_final": task.is_final,
        "traceback": task.failure.traceback if task.failure else None,
        "children": carried.get("children", []),
        "date_done": task.finished_at,
        "name": task.task_type,
        "args": arguments["args"],
        "kwargs": arguments["kwargs"],
        "worker": task.worker,
        "retries": task.retries,
        "queue": task.queue,
        "group_id": carried.get("group"),
        "parent_id": carried.get("parent_id"),
    }


def _status_and_result(task: Task) -> tuple[str, Any]:
    status = _STATES[task.state]
    match task.state:
        case State.SUCCEEDED:
            return status, from_json(task.result or "null")
        case State.FAILED | State.RETRYING if task.failure is not None:
            return status, celery_error(task.failure)
        case State.ABORTED | State.EXPIRED if (reason := _revoked(task)) is not None:
            return states.REVOKED, celery_error_of(TaskRevokedError(reason))
        case State.RUNNING if task.progress is not None:
            progress = from_json(task.progress)
            return progress["state"], progress["meta"]
        case State.RUNNING:
            return status, {"hostname": task.worker}
    return status, None


def _revoked(task: Task) -> str | None:
    """Why Celery calls the task revoked; None if it does not."""
    if task.state is State.EXPIRED:
        return "expired"
    return task.abort_reason if task.abort_reason in _REVOKED else None


def _as_revoked(meta: dict[str, Any]) -> dict[str, Any]:
    """A final meta in the words that raise where results are joined: ABORTED is none of them."""
    if meta["status"] != ABORTED:
        return meta
    error = TaskRevokedError(f"task {meta['task_id']} was aborted")
    return {**meta, "status": states.REVOKED, "result": error}


def celery_error_of(error: Exception) -> dict[str, Any]:
    """An exception of Celery's own as its JSON backends keep it."""
    return {
        "exc_type": type(error).__name__,
        "exc_message": list(error.args),
        "exc_module": type(error).__module__,
    }


class RecordReader(BaseBackend):
    """Looks tasks up, waits for them, and keeps the results of groups."""

    READY_STATES = states.READY_STATES | {ABORTED}
    persistent = True
    supports_native_join = True
    supports_autoexpire = True  # the sweeper's retention

    app: Any
    url: str
    _ensure_not_eager: Any

    def __init__(self, app: Any, url: str | None = None, **options: Any) -> None:
        options.update(serializer="json", url=url)
        super().__init__(app, **options)
        self.database = Database(url or "")

    def __reduce__(self, args: Any = (), kwargs: Any = None) -> Any:
        return unpickle_backend, (type(self), args, {**(kwargs or {}), "url": self.url})

    def as_uri(self, include_password: bool = False) -> str:
        return "taskgate+" + (self.url if include_password else hide_passwords(self.url))

    def _read(self, function: Callable[[Connection], T]) -> T:
        """Read; in a worker, for as long as it takes: a chord would fail with the database."""
        return until_answered(self.database.read, function, "a task waits for others' results")

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        task = self._read(lambda tx: queries.get_many(tx, [task_id])).get(task_id)
        meta = dict(self.meta_from_decoded(meta_of(task_id, task)))
        # Celery does it for its own final states; ABORTED is none of them.
        children = [result_from_tuple(child, self.app) for child in meta.get("children", ())]
        return {**meta, "children": children}

    def exception_to_python(self, exc: Any) -> Any:
        """The exception; what would end the program that asks stands as TaskExited."""
        found: Any = super().exception_to_python(exc)
        if isinstance(found, BaseException) and not isinstance(found, Exception):
            return TaskExited(repr(found))
        return found

    def task_result_exists(self, task_id: str) -> bool:
        return bool(self._read(lambda tx: queries.versions(tx, [task_id])))

    def is_cached(self, task_id: str) -> bool:
        """Whether the task has ended: ChordError names one that did, and failed."""
        return bool(self._final_of([task_id]))

    def wait_for(
        self,
        task_id: str,
        timeout: float | None = None,
        interval: float = 0.5,
        no_ack: bool = True,
        on_interval: Callable[[], None] | None = None,
    ) -> dict[str, Any]:
        """Poll until the task is final; ABORTING, which is ABORTED to Celery, is not.

        Raises:
            celery.exceptions.TimeoutError: not within ``timeout`` seconds.
        """
        del no_ack
        self._ensure_not_eager()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            meta: dict[str, Any] = self.get_task_meta(task_id, cache=False)
            if meta["is_final"]:
                if on_interval and meta["status"] in states.PROPAGATE_STATES:
                    on_interval()  # raises what made it fail, if a parent did
                return meta
            looked_at = time.monotonic()
            if on_interval:
                on_interval()
            # It may look at a thousand parents, one by one: rest for as long.
            pause = max(interval, time.monotonic() - looked_at)
            left = pause if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise CeleryTimeout("The operation timed out.")
            time.sleep(min(pause, left))

    def get_many(
        self,
        task_ids: Iterable[str],
        timeout: float | None = None,
        interval: float = 0.5,
        no_ack: bool = True,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        on_interval: Callable[[], None] | None = None,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield ids and metas as the tasks end; those that are final already come first.

        Raises:
            celery.exceptions.TimeoutError: not all of them within ``timeout`` seconds.
        """
        del no_ack
        self._ensure_not_eager()
        deadline = None if timeout is None else time.monotonic() + timeout
        pending = set(task_ids)
        while pending:
            for task_id, meta in self._final_of(pending):
                pending.discard(task_id)
                if on_message is not None:
                    on_message(meta)
                yield task_id, meta
            if not pending:
                return
            if on_interval:
                on_interval()
            left = interval if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise CeleryTimeout("The operation timed out.")
            time.sleep(min(interval, left))

    def _final_of(self, task_ids: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
        found = self._read(lambda tx: queries.get_many(tx, task_ids))
        return [
            (task_id, _as_revoked(dict(self.meta_from_decoded(meta_of(task_id, task)))))
            for task_id, task in found.items()
            if task.is_final
        ]

    def wait_for_pending(self, result: Any, *args: Any, **options: Any) -> Any:
        """As Celery's, but an aborted task raises TaskRevokedError: it has no result."""
        value = super().wait_for_pending(result, *args, **options)
        if options.get("propagate", True) and result.state == ABORTED:
            raise TaskRevokedError("aborted")
        return value

    def _forget(self, task_id: str) -> None:
        with self.database.write() as tx:
            sweeping.forget(tx, task_id)

    def cleanup(self) -> None:
        """Nothing: the server's sweeper keeps and deletes final tasks."""

    def _save_group(self, group_id: str, result: Any) -> Any:
        with self.database.autocommit() as tx:
            canvas.save_group(tx, group_id, json.dumps(result.as_tuple()))
        return result

    def _restore_group(self, group_id: str) -> dict[str, Any] | None:
        saved = self._read(lambda tx: canvas.restore_group(tx, group_id))
        if saved is None:
            return None
        return {"task_id": group_id, "result": result_from_tuple(json.loads(saved), self.app)}

    def _delete_group(self, group_id: str) -> None:
        with self.database.autocommit() as tx:
            canvas.remove_group(tx, group_id)
