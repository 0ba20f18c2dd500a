"""Requests as tasks to be recorded, once every field was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from taskgate.server.api.errors import Flaw, QueueFull, RequestError
from taskgate.server.requests import arguments, checks, times
from taskgate.server.requests.arguments import Arguments
from taskgate.server.requests.capacity import Capacity
from taskgate.server.requests.catalog import Catalog, Known, KnownType
from taskgate.server.requests.digest import digest
from taskgate.server.requests.json_text import NotJson
from taskgate.server.requests.text import nearest, quote
from taskgate.server.requests.violations import Violations
from taskgate.store.record import NewTask, RetryPolicy, Task, new_task_id
from taskgate.v1 import task_service_pb2


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides what may be recorded."""

    catalog: Catalog
    capacity: Capacity
    max_payload_bytes: int

    async def submission(self, request: task_service_pb2.SubmitRequest, caller: str) -> NewTask:
        """The task that a Submit asks for.

        Raises:
            InvalidRequest: fields are wrong.
            PayloadTooLarge: the arguments are too long.
            QueueFull: too many tasks wait in its queue.
        """
        new = await self.catalog.judge(partial(self._submission, request, caller))
        await self.capacity.admit(new)
        return new

    async def submissions(
        self, requests: Sequence[task_service_pb2.SubmitRequest], caller: str
    ) -> list[NewTask | RequestError]:
        """The task that each of many Submits asks for, or why it is refused."""
        verdicts = await self.catalog.judge_all(
            [partial(self._submission, request, caller) for request in requests]
        )
        return [await self._admitted(verdict) for verdict in verdicts]

    async def retry(
        self, request: task_service_pb2.RetryRequest, original: Task, caller: str
    ) -> NewTask:
        """The task that a Retry asks for.

        Raises:
            InvalidRequest: fields are wrong, or the arguments do not fit the task type any more.
            PayloadTooLarge: the arguments are too long.
            QueueFull: too many tasks wait in its queue.
        """
        new = await self.catalog.judge(partial(self._retry, request, original, caller))
        await self.capacity.admit(new)
        return new

    async def _admitted(self, verdict: NewTask | RequestError) -> NewTask | RequestError:
        if isinstance(verdict, NewTask):
            try:
                await self.capacity.admit(verdict)
            except QueueFull as full:
                return full
        return verdict

    def _submission(
        self, request: task_service_pb2.SubmitRequest, caller: str, known: Known
    ) -> NewTask:
        violations = Violations()
        task_type = _task_type(request.task_type, known, violations)
        given = arguments.read(request, violations)
        payload = self._payload(given, task_type, violations)
        queue = request.queue or (task_type.queue if task_type else "")
        if queue:
            checks.queue(queue, known.queues, violations)
        policy = None
        if request.HasField("retry_policy"):
            policy = checks.retry_policy(request.retry_policy, violations)
        priority = checks.MIDDLE_PRIORITY
        if request.HasField("priority"):
            priority = checks.priority(request.priority, violations)
        new = NewTask(
            id=new_task_id(),
            task_type=request.task_type,
            arguments=payload,
            queue=queue,
            priority=priority,
            labels=checks.labels(request.labels, violations),
            retry_policy=policy,
            max_attempts=_max_attempts(policy, task_type),
            submitted_by=caller,
        )
        new = _with_times(new, request, violations)
        checks.text(request.request_id, "request_id", checks.LONGEST_REQUEST_ID, violations)
        violations.raise_if_any()
        return _requested(new, request.request_id, request.queue)

    def _retry(
        self,
        request: task_service_pb2.RetryRequest,
        original: Task,
        caller: str,
        known: Known,
    ) -> NewTask:
        violations = Violations()
        task_type = _task_type(original.task_type, known, violations)
        given = _retry_arguments(request, original, violations)
        payload = self._payload(given, task_type, violations)
        checks.text(request.request_id, "request_id", checks.LONGEST_REQUEST_ID, violations)
        violations.raise_if_any()
        new = NewTask(
            id=new_task_id(),
            task_type=original.task_type,
            arguments=payload,
            queue=original.queue,
            priority=original.priority,
            labels=original.labels,
            run_timeout=original.run_timeout,
            retry_policy=original.retry_policy,
            max_attempts=original.max_attempts,
            submitted_by=caller,
            retry_of=original.id,
            root_id=original.root_id,
        )
        return _requested(new, request.request_id, original.queue)

    def _payload(
        self, given: Arguments, task_type: KnownType | None, violations: Violations
    ) -> str:
        text = given.to_json()
        arguments.check_size(text, self.max_payload_bytes)
        if task_type is not None and not violations.has(Flaw.ARGUMENTS_INVALID):
            violations.extend(task_type.signature.misfits(given))
        return text


def _task_type(name: str, known: Known, violations: Violations) -> KnownType | None:
    if not name:
        violations.add("task_type", "it is empty; name the task to run", Flaw.TASK_TYPE_UNKNOWN)
        return None
    if name not in known.types:
        hint = nearest(name, known.types) or "; a worker registers its task types when it starts"
        description = f"no worker registered a task type {quote(name)}{hint}"
        violations.add("task_type", description, Flaw.TASK_TYPE_UNKNOWN)
    return known.types.get(name)


def _max_attempts(policy: RetryPolicy | None, task_type: KnownType | None) -> int | None:
    asked = policy.max_attempts if policy else None
    return asked or (task_type.max_attempts if task_type else None)


def _retry_arguments(
    request: task_service_pb2.RetryRequest, original: Task, violations: Violations
) -> Arguments:
    if request.replace_arguments:
        return arguments.read(request, violations)
    if arguments.are_given(request):
        violations.add("replace_arguments", "set it, or leave the arguments out")
    try:
        return arguments.recorded(original.arguments)
    except NotJson as exc:  # another Celery program sent them
        problem = f"its arguments cannot be submitted again: {exc}"
        violations.add("id", problem, Flaw.ARGUMENTS_INVALID)
        return Arguments()


def _with_times(
    new: NewTask, request: task_service_pb2.SubmitRequest, violations: Violations
) -> NewTask:
    if request.HasField("delay") and request.HasField("schedule_time"):
        violations.add("delay", "give delay or schedule_time, not both")
    if request.HasField("ttl") and request.HasField("expire_time"):
        violations.add("ttl", "give ttl or expire_time, not both")
    if request.HasField("delay"):
        new = replace(new, delay=times.duration(request.delay, "delay", violations))
    if request.HasField("schedule_time"):
        time = times.timestamp(request.schedule_time, "schedule_time", violations)
        new = replace(new, schedule_time=time)
    if request.HasField("ttl"):
        new = replace(new, ttl=times.duration(request.ttl, "ttl", violations, zero=False))
    if request.HasField("expire_time"):
        time = times.timestamp(request.expire_time, "expire_time", violations)
        new = replace(new, expire_time=time)
    if request.HasField("run_timeout"):
        length = times.duration(request.run_timeout, "run_timeout", violations, zero=False)
        new = replace(new, run_timeout=length)
    if new.schedule_time and new.expire_time and new.expire_time <= new.schedule_time:
        violations.add("expire_time", "the task would expire before it is due")
    return new


def _requested(new: NewTask, request_id: str, queue: str) -> NewTask:
    """The task with the id by which a repeated request is known."""
    if not request_id:
        return new
    return replace(new, request_id=request_id, request_digest=digest(new, queue))
