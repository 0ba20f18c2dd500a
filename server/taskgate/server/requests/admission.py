"""Requests as tasks to be recorded, once every field is validated."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from taskgate.server.callers import Caller
from taskgate.server.errors import (
    InvalidRequest,
    PayloadTooLarge,
    PermissionDenied,
    RequestError,
    ViolationReason,
    Violations,
)
from taskgate.server.offload import Offload
from taskgate.server.records import Records
from taskgate.server.requests import arguments, fields
from taskgate.server.requests.arguments import Arguments, NotJson
from taskgate.server.requests.capacity import Capacity
from taskgate.server.requests.catalog import Catalog, Known, KnownType
from taskgate.server.text import nearest, quote
from taskgate.store import submission
from taskgate.store.errors import SubmissionRefused
from taskgate.store.record import NewTask, RetryPolicy, Task, new_task_id
from taskgate.v1 import task_service_pb2

Admitted = NewTask | Task
"""A task to be recorded, or the recorded one that a repeated request id stands for."""

Refused = RequestError | SubmissionRefused


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as a task, before its task type and its queue are looked up."""

    new: NewTask
    arguments: Arguments
    violations: Violations
    """What is wrong with it whatever the task type is."""

    @property
    def may_be_repeated(self) -> bool:
        """Whether a task can have been recorded for the same request before."""
        return self.new.request_id is not None and not self.violations


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides what may be recorded."""

    records: Records
    catalog: Catalog
    capacity: Capacity
    offload: Offload
    max_payload_bytes: int

    async def submission(self, request: task_service_pb2.SubmitRequest, caller: Caller) -> Admitted:
        """The task that a Submit asks for.

        Raises:
            PermissionDenied: the caller may not submit such tasks.
            InvalidRequest: fields are wrong.
            PayloadTooLarge: the arguments are too long.
            QueueFull: too many tasks wait in its queue.
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer.
        """
        [admitted] = await self.submissions([request], caller)
        if isinstance(admitted, Exception):
            raise admitted
        return admitted

    async def template(self, request: task_service_pb2.SubmitRequest, caller: Caller) -> NewTask:
        """The task that a Submit would ask for, with what it leaves to the task type still open.

        Raises:
            PermissionDenied: the caller may not submit such tasks.
            InvalidRequest: fields are wrong.
            PayloadTooLarge: the arguments are too long.
            StoreUnavailable: the database does not answer.
        """
        read = partial(self._submission, request, caller)
        draft = await self.offload.run(request.ByteSize(), read)
        caller.check_may_name(draft.new.task_type, draft.new.queue)
        resolved = await self._validated(draft)
        caller.check_may_name(resolved.task_type, resolved.queue)
        return draft.new

    async def submissions(
        self, requests: Sequence[task_service_pb2.SubmitRequest], caller: Caller
    ) -> list[Admitted | Refused]:
        """The task that each of many Submits asks for, or why it is refused.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        drafts: list[Draft | RequestError] = []
        for request in requests:
            try:
                read = partial(self._submission, request, caller)
                drafts.append(await self.offload.run(request.ByteSize(), read))
            except PayloadTooLarge as exc:
                drafts.append(exc)
            if len(requests) > 1:
                await asyncio.sleep(0)  # others have their turn between the items of a batch
        return await self._admit(drafts, caller)

    async def retry(
        self, request: task_service_pb2.RetryRequest, original: Task, caller: Caller
    ) -> Admitted:
        """The task that a Retry asks for.

        Raises:
            InvalidRequest: fields are wrong, or the arguments do not fit the task type any more.
            PayloadTooLarge: the arguments are too long.
            QueueFull: too many tasks wait in its queue.
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer.
        """
        read = partial(self._retry, request, original, caller)
        size = request.ByteSize() + len(original.arguments)
        [admitted] = await self._admit([await self.offload.run(size, read)], caller)
        if isinstance(admitted, Exception):
            raise admitted
        return admitted

    async def _admit(
        self, drafts: Sequence[Draft | RequestError], caller: Caller
    ) -> list[Admitted | Refused]:
        admitted = [await self._new_task(draft, caller) for draft in drafts]
        repeated = await self._repeated(
            [
                draft.new
                for draft, outcome in zip(drafts, admitted, strict=True)
                if isinstance(draft, Draft)
                and draft.may_be_repeated
                and isinstance(outcome, RequestError)
                and not isinstance(outcome, PermissionDenied)
            ]
        )
        return [
            repeated.get(draft.new.id, outcome) if isinstance(draft, Draft) else outcome
            for draft, outcome in zip(drafts, admitted, strict=True)
        ]

    async def _new_task(
        self, draft: Draft | RequestError, caller: Caller
    ) -> NewTask | RequestError:
        if isinstance(draft, RequestError):
            return draft
        try:
            # Before the catalog is asked, whose hints would name what the caller must not see.
            caller.check_may_name(draft.new.task_type, draft.new.queue)
            new = await self._validated(draft)
            caller.check_may_name(new.task_type, new.queue)
            await self.capacity.admit(new)
        except RequestError as exc:
            return exc
        return new

    async def _repeated(self, refused: Sequence[NewTask]) -> dict[str, Task | SubmissionRefused]:
        """What the request ids of tasks stand for already, by the tasks' ids.

        What was accepted once is answered again, also when the queue is full or the task type has
        changed by now. Requests that are accepted need no look-up: the insert finds the first.
        """
        if not refused:
            return {}

        return await self.records.read(lambda tx: submission.find_repeated(tx, refused))

    async def _validated(self, draft: Draft) -> NewTask:
        """The task, refused only by what was read from the record after this call began."""
        began_at = time.monotonic()
        known = await self.catalog.recent()
        size = len(draft.new.arguments)
        try:
            return await self.offload.run(size, partial(_resolved, draft, known))
        except InvalidRequest:
            newer = await self.catalog.read_since(began_at)
            if newer is known:
                raise
        return await self.offload.run(size, partial(_resolved, draft, newer))

    def _submission(self, request: task_service_pb2.SubmitRequest, caller: Caller) -> Draft:
        violations = Violations()
        given, text = self._arguments(request, violations)
        policy = None
        if request.HasField("retry_policy"):
            policy = fields.retry_policy(request.retry_policy, violations)
        priority = fields.DEFAULT_PRIORITY
        if request.HasField("priority"):
            priority = fields.priority(request.priority, violations)
        new = NewTask(
            id=new_task_id(),
            task_type=request.task_type,
            arguments=text,
            queue=request.queue,
            priority=priority,
            labels=fields.labels(request.labels, violations),
            retry_policy=policy,
            max_attempts=policy.max_attempts if policy else None,
            submitted_by=caller.name,
            submitted_from=caller.peer or None,
            trace=caller.trace,
        )
        if request.HasField("unique"):
            new = replace(new, **fields.unique(request.unique, violations))
            if caller.queues is not None:  # the holder may be in one that it must not see
                new = replace(new, answers_holder=False)
        new = _with_times(new, request, violations)
        return Draft(_with_request_id(new, request.request_id, violations), given, violations)

    def _retry(
        self, request: task_service_pb2.RetryRequest, original: Task, caller: Caller
    ) -> Draft:
        violations = Violations()
        if request.replace_arguments:
            given, text = self._arguments(request, violations)
        else:
            given, text = _same_arguments(request, original, violations)
            arguments.check_size(len(text), self.max_payload_bytes)
        new = retry_of(original, text, caller.name, caller.peer or None)
        return Draft(_with_request_id(new, request.request_id, violations), given, violations)

    def _arguments(
        self, request: arguments.Carrier, violations: Violations
    ) -> tuple[Arguments, str]:
        given = arguments.read(request, self.max_payload_bytes, violations)
        text = given.to_json()
        arguments.check_size(len(text), self.max_payload_bytes)
        return given, text


def retry_of(original: Task, text: str, by: str, by_from: str | None = None) -> NewTask:
    """A task that runs once more, with arguments given as JSON text.

    ``by``, ``by_from``: who asks for it, and from where, if that is known.
    """
    return NewTask(
        id=new_task_id(),
        task_type=original.task_type,
        arguments=text,
        queue=original.queue,
        priority=original.priority,
        labels=original.labels,
        run_timeout=original.run_timeout,
        retry_policy=original.retry_policy,
        max_attempts=original.max_attempts,
        submitted_by=by,
        submitted_from=by_from,
        retry_of=original.id,
        root_id=original.root_id,
        unique_key=original.unique_key,
        unique_until=original.unique_until,
        unique_ttl=original.unique_ttl,
        schedule=original.schedule,
    )


def digest(new: NewTask) -> str:
    """SHA-256 of what the caller asked for, however it was written.

    ``new``: as it was asked for, with an empty queue if none was named: the task type's own queue
    may change between two requests.
    """
    content = {name: value for name, value in _asked(new) if name not in _NOT_ASKED}
    content["arguments"] = json.loads(new.arguments)
    content["queue"] = new.queue
    text = json.dumps(content, sort_keys=True, default=_json)
    return hashlib.sha256(text.encode()).hexdigest()


_NOT_ASKED = frozenset(
    {
        "id",
        "max_attempts",
        "submitted_by",
        "submitted_from",
        "trace",
        "request_id",
        "request_digest",
    }
)
"""What the server adds, resolves, or scopes the request_id by."""


def _asked(values: NewTask | RetryPolicy) -> Iterator[tuple[str, Any]]:
    """What differs from the defaults: a field that a later version adds must change no digest."""
    for field in dataclasses.fields(values):
        value = getattr(values, field.name)
        is_default = field.default is not dataclasses.MISSING and value == field.default
        if not (is_default or value == {}):
            yield field.name, value


def _json(value: timedelta | datetime | RetryPolicy) -> Any:
    return dict(_asked(value)) if isinstance(value, RetryPolicy) else str(value)


def _resolved(draft: Draft, known: Known) -> NewTask:
    """The task with what its type says where the request says nothing.

    Raises:
        InvalidRequest: with everything that is wrong, the draft's own violations included.
    """
    violations = draft.violations.copy()
    new = draft.new
    task_type = _task_type(new.task_type, known, violations)
    if task_type is not None and not violations.has(ViolationReason.ARGUMENTS_INVALID):
        violations.extend(task_type.signature.validate(draft.arguments))
    queue = new.queue or (task_type.queue if task_type else "")
    if queue and new.retry_of is None:
        fields.queue(queue, known.queues, violations)
    violations.raise_if_any()
    max_attempts = new.max_attempts
    if max_attempts is None and new.retry_of is None and task_type is not None:
        max_attempts = task_type.max_attempts
    return replace(new, queue=queue, max_attempts=max_attempts)


def _task_type(name: str, known: Known, violations: Violations) -> KnownType | None:
    reason = ViolationReason.TASK_TYPE_UNKNOWN
    if not name:
        violations.add("task_type", "it is empty; name the task to run", reason)
        return None
    if name not in known.types:
        hint = nearest(name, known.types) or "; a worker registers its task types when it starts"
        violations.add("task_type", f"no worker registered a task type {quote(name)}{hint}", reason)
    return known.types.get(name)


def _same_arguments(
    request: task_service_pb2.RetryRequest, original: Task, violations: Violations
) -> tuple[Arguments, str]:
    if arguments.are_given(request):
        violations.add("replace_arguments", "set it, or leave the arguments out")
    try:
        given = arguments.recorded(original)
    except NotJson as exc:  # another Celery program sent them
        problem = f"its arguments cannot be submitted again: {exc}"
        violations.add("id", problem, ViolationReason.ARGUMENTS_INVALID)
        given = Arguments()
    return given, given.to_json()


def _with_times(
    new: NewTask, request: task_service_pb2.SubmitRequest, violations: Violations
) -> NewTask:
    if request.HasField("delay") and request.HasField("schedule_time"):
        violations.add("delay", "give delay or schedule_time, not both")
    if request.HasField("ttl") and request.HasField("expire_time"):
        violations.add("ttl", "give ttl or expire_time, not both")
    if request.HasField("delay"):
        new = replace(new, delay=fields.duration(request.delay, "delay", violations))
    if request.HasField("schedule_time"):
        time = fields.timestamp(request.schedule_time, "schedule_time", violations)
        new = replace(new, schedule_time=time)
    if request.HasField("ttl"):
        new = replace(new, ttl=fields.duration(request.ttl, "ttl", violations, zero=False))
    if request.HasField("expire_time"):
        time = fields.timestamp(request.expire_time, "expire_time", violations)
        new = replace(new, expire_time=time)
    if request.HasField("run_timeout"):
        length = fields.duration(request.run_timeout, "run_timeout", violations, zero=False)
        new = replace(new, run_timeout=length)
    if new.schedule_time and new.expire_time and new.expire_time <= new.schedule_time:
        violations.add("expire_time", "the task would expire before it is due")
    return new


def _with_request_id(new: NewTask, request_id: str, violations: Violations) -> NewTask:
    """The task with the id by which a repeated request is known."""
    fields.text(request_id, "request_id", fields.MAX_REQUEST_ID_LENGTH, violations)
    if not request_id:
        return new
    return replace(new, request_id=request_id, request_digest=digest(new))
