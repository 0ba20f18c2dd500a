"""The client for programs that run in an event loop: a connection to a taskgate server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from grpc_health.v1 import health_pb2

from taskgate.client.errors import TaskgateError, error_from_status
from taskgate.client.events import Event, EventKind, events
from taskgate.client.handle import AsyncTaskHandle, Identified
from taskgate.client.listing import AsyncTasks, pages
from taskgate.client.retry_policy import RetryPolicy
from taskgate.client.scheduling import Scheduling
from taskgate.client.stats import Queue, Stats, queue_from_message, stats_from_message
from taskgate.client.steering import Steering
from taskgate.client.submission import Submission, batches
from taskgate.client.task import State, Task
from taskgate.client.task_type import TaskType, task_type_from_message
from taskgate.client.transport import AsyncTransport
from taskgate.client.unique import Unique
from taskgate.client.values import to_timestamp
from taskgate.client.watching import watch
from taskgate.client.worker import Worker, worker_from_message
from taskgate.v1 import events_pb2, task_pb2, task_service_pb2


class AsyncClient(Steering, Scheduling):
    """A connection to a taskgate server, for one event loop: the one that makes its first call.

    Close it, or use it in an ``async with``.
    """

    _transport_type = AsyncTransport

    async def submit(  # noqa: PLR0913 - as many as a submission has options
        self,
        task_type: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        queue: str = "",
        priority: int | None = None,
        delay: float | None = None,
        schedule_time: datetime | None = None,
        ttl: float | None = None,
        expire_time: datetime | None = None,
        run_timeout: float | None = None,
        retry_policy: RetryPolicy | None = None,
        labels: Mapping[str, str] | None = None,
        unique: Unique | None = None,
        request_id: str | None = None,
    ) -> AsyncTaskHandle:
        """Have a task run: once this returned, it is on the server's disk and will run.

        Args:
            task_type: the Celery name of the function, ``demo.add``.
            args: the positional arguments, JSON values.
            kwargs: the keyword arguments, JSON values.
            queue: the queue; the task type's own if empty.
            priority: from 0 to 9; 9 goes first.
            delay: seconds to wait before it runs.
            schedule_time: when to run it, instead of ``delay``.
            ttl: seconds after it is due when it expires if it has not started.
            expire_time: when it expires if it has not started, instead of ``ttl``.
            run_timeout: seconds that one attempt may run.
            retry_policy: how failed attempts are retried; as the task type says if None.
            labels: to find it by.
            unique: what keeps other tasks away.
            request_id: submits with the same id give the same task. A new one is made if None:
                then this call may be repeated on the way, but calling again is a new task.

        Raises:
            TypeError: an argument has no JSON form.
            ValueError: an argument is not finite, or contains itself.
            TaskTypeUnknown: no worker has registered the task type.
            ArgumentsInvalid: the arguments do not fit it.
            RequestIdReused: the request id was used for something else.
            UniqueKeyHeld: another task holds the unique key.
            TaskgateError: anything else went wrong.
        """
        submission = Submission(
            task_type=task_type,
            args=args,
            kwargs=kwargs or {},
            queue=queue,
            priority=priority,
            delay=delay,
            schedule_time=schedule_time,
            ttl=ttl,
            expire_time=expire_time,
            run_timeout=run_timeout,
            retry_policy=retry_policy,
            labels=labels or {},
            unique=unique,
            **({"request_id": request_id} if request_id else {}),
        )
        response = await self._caller.call(self._caller.stub.Submit, submission.message())
        return AsyncTaskHandle.of(self._caller, response.task)

    async def submit_many(
        self, submissions: Iterable[Submission]
    ) -> Sequence[AsyncTaskHandle | TaskgateError]:
        """Have many tasks run; what became of each submission, in their order.

        A submission that is refused is answered with its error and does not spoil the others. They
        go in batches of up to 1,000; each is recorded at once.

        Raises:
            TypeError: an argument has no JSON form; nothing was submitted.
            ValueError: an argument is not finite, or contains itself; nothing was submitted.
            TaskgateError: a batch as a whole was refused or not answered. Those before it were
                recorded: submitting the same Submissions again gives the same tasks.
        """
        requests = [submission.message() for submission in submissions]
        call, stub = self._caller.call, self._caller.stub
        return [
            self._outcome(result)
            for batch in batches(requests)
            for result in (await call(stub.SubmitBatch, batch)).results
        ]

    def list(  # noqa: PLR0913 - as many as there are filters
        self,
        *,
        states: Iterable[State] = (),
        task_types: Iterable[str] = (),
        queues: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        root_id: str = "",
        id_prefix: str = "",
        schedule: str = "",
        full: bool = False,
        page_size: int = 0,
    ) -> AsyncTasks:
        """Tasks that fit every filter that is given, the newest first; iterate over them.

        Args:
            states: in one of these.
            task_types: of one of these.
            queues: in one of these.
            labels: with all of these.
            created_from: submitted at this time or later.
            created_before: submitted before this time.
            root_id: this task and its retries.
            id_prefix: with an id that begins so; at most 100 tasks.
            schedule: submitted by the schedule with this id.
            full: with arguments, results, past attempts and tracebacks.
            page_size: how many to ask for at once, at most; the server's 50 if 0.
        """
        request = task_service_pb2.ListRequest(
            states=[task_pb2.TaskState.Value(f"TASK_STATE_{state}") for state in states],
            task_types=task_types,
            queues=queues,
            labels=labels,
            create_time_from=to_timestamp(created_from),
            create_time_before=to_timestamp(created_before),
            root_id=root_id,
            id_prefix=id_prefix,
            schedule=schedule,
            view=task_service_pb2.TASK_VIEW_FULL if full else task_service_pb2.TASK_VIEW_BASIC,
            page_size=page_size,
        )
        return AsyncTasks(self._caller, request)

    def watch(
        self,
        tasks: Iterable[Identified | str],
        *,
        timeout: float | None = None,
        full: bool = True,
    ) -> AsyncGenerator[Task]:
        """Each task as it is, then each newer version seen of any, until all of them have ended.

        The server may restart meanwhile. Versions that follow each other quickly are skipped, never
        the last one.

        Args:
            tasks: handles or ids, 1,000 at most.
            timeout: seconds; None waits for ever.
            full: with arguments, results, past attempts and tracebacks.

        Raises:
            WaitTimeout: not all had ended when the time was over.
            TaskNotFound: no task has one of the ids.
            TaskgateError: the call was refused.
        """
        ids = [task if isinstance(task, str) else task.id for task in tasks]
        return watch(self._caller, ids, timeout=timeout, full=full)

    async def task_types(self) -> AsyncGenerator[TaskType]:
        """The task types that workers have registered, by name.

        Raises:
            TaskgateError: the call was refused.
        """
        request = task_service_pb2.ListTaskTypesRequest()
        async for page in pages(self._list_task_types, request):
            for message in page.task_types:
                yield task_type_from_message(message)

    async def workers(self, *, alive_only: bool = False) -> AsyncGenerator[Worker]:
        """Workers, the living and those that stopped or died lately, the newest first.

        Raises:
            TaskgateError: the call was refused.
        """
        request = task_service_pb2.ListWorkersRequest(alive_only=alive_only)
        async for page in pages(self._list_workers, request):
            for message in page.workers:
                yield worker_from_message(message)

    async def queues(self) -> AsyncGenerator[Queue]:
        """The queues that the server knows, by name, with what their tasks do.

        Raises:
            TaskgateError: the call was refused.
        """
        request = task_service_pb2.ListQueuesRequest()
        async for page in pages(self._list_queues, request):
            for message in page.queues:
                yield queue_from_message(message)

    async def stats(self, queues: Iterable[str] = ()) -> Stats:
        """What is going on: how many tasks are in which state and queue, and for how long.

        Args:
            queues: those to answer, in this order, also if nothing is in them; all if empty.

        Raises:
            InvalidRequest: a name is wrong.
            TaskgateError: the call was refused.
        """
        request = task_service_pb2.GetStatsRequest(queues=queues)
        return stats_from_message(await self._caller.call(self._caller.stub.GetStats, request))

    def events(
        self,
        task: Identified | str | None = None,
        *,
        after: str = "",
        since: datetime | None = None,
        kinds: Iterable[EventKind] = (),
        follow: bool = False,
        page_size: int = 0,
    ) -> AsyncGenerator[Event]:
        """What happened to a task, or to all, the oldest first; then, to follow, what happens.

        To go on later, or elsewhere, remember the ``cursor`` of the last event that you are done
        with. The server may restart meanwhile.

        Args:
            task: a handle or an id; the events of all tasks if None.
            after: the ``cursor`` of an event, with the same ``task`` and ``kinds``.
            since: begin with what happened then, instead of ``after``.
            kinds: only these; all if empty.
            follow: wait for what happens next, for ever.
            page_size: how many to ask for at once, at most; the server's 100 if 0.

        Raises:
            TaskNotFound: nothing is known of the task.
            TaskgateError: the call was refused.
        """
        request = events_pb2.ListEventsRequest(
            task_id="" if task is None else task if isinstance(task, str) else task.id,
            after=after,
            time_from=to_timestamp(since),
            kinds=[events_pb2.EventKind.Value(f"EVENT_KIND_{kind}") for kind in kinds],
            page_size=page_size,
        )
        return events(self._caller, request, follow=follow)

    async def is_serving(self) -> bool:
        """Whether the server says that it takes calls; one that is shutting down does not.

        Raises:
            Unavailable: nobody answers.
            TaskgateError: anything else went wrong.
        """
        check = self._caller.transport.health.Check
        request = health_pb2.HealthCheckRequest()
        answer = await self._caller.attempt(check, request, timeout=self._caller.timeout)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def task(self, task_id: str) -> AsyncTaskHandle:
        """A handle of a task that was submitted before; asks the server nothing."""
        return AsyncTaskHandle(self._caller, task_id)

    async def close(self) -> None:
        """Close the connection; handles made by this client end with it."""
        await self._caller.transport.close()

    def _outcome(
        self, result: task_service_pb2.SubmitBatchResult
    ) -> AsyncTaskHandle | TaskgateError:
        if result.HasField("error"):
            return error_from_status(result.error)
        return AsyncTaskHandle.of(self._caller, result.task)

    async def _list_task_types(
        self, request: task_service_pb2.ListTaskTypesRequest
    ) -> task_service_pb2.ListTaskTypesResponse:
        return await self._caller.call(self._caller.stub.ListTaskTypes, request)

    async def _list_workers(
        self, request: task_service_pb2.ListWorkersRequest
    ) -> task_service_pb2.ListWorkersResponse:
        return await self._caller.call(self._caller.stub.ListWorkers, request)

    async def _list_queues(
        self, request: task_service_pb2.ListQueuesRequest
    ) -> task_service_pb2.ListQueuesResponse:
        return await self._caller.call(self._caller.stub.ListQueues, request)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
