"""The base of every task: it claims its attempt before the user's code, and minds its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from billiard.common import (  # type: ignore[attr-defined]  # newer than its stubs
    terminate_handler_fired,
)
from billiard.einfo import ExceptionInfo
from celery import Task, shared_task, states
from celery.app.task import Context
from celery.app.trace import TraceInfo, trace_ok_t
from celery.canvas import Signature
from celery.contrib.abortable import AbortableTask
from celery.exceptions import Ignore, Reject, Retry, WorkerShutdown, WorkerTerminate
from celery.utils.log import get_logger
from celery.utils.time import maybe_make_aware

from taskgate.store.transitions import Claim
from taskgate.tasks import handover, tracing
from taskgate.tasks.attempt import Attempt, NextAttempt, running, running_attempt
from taskgate.tasks.bodies import CONTENT_HEADER, content_type_of, kept
from taskgate.tasks.failures import TaskExited, attempts_allowed, backoff, is_retryable
from taskgate.tasks.handover import Handover
from taskgate.tasks.messages import changes_of
from taskgate.tasks.sending import held_back
from taskgate.tasks.serializing import arguments_json
from taskgate.tasks.signature import parameters_of

if TYPE_CHECKING:
    from taskgate.tasks.backend import RecordBackend

    AnyTask = Task[Any, Any]

LOOK_AFTER_SECONDS = 0.1
"""An attempt that was claimed so long ago asks whether it was aborted before it begins."""

logger = get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class ClaimingTracer:
    """Celery's tracer of a task, entered only for attempts that this worker may run.

    Around everything that Celery runs of the user's: signals and hooks as well as the function.
    """

    def __init__(self, task: TaskgateTask, trace: Callable[..., Any]) -> None:
        self._task = task
        self._trace = trace

    def __call__(self, uuid: str, args: Any, kwargs: Any, request: dict[str, Any]) -> Any:
        """Claim the attempt and trace it, or answer as Celery does to Ignore."""
        given = handover.take(request)
        context = Context(request, args=args, kwargs=kwargs, called_directly=False)
        recorder = self._task.backend.recorder
        attempt = Attempt(recorder, uuid, context, None if given is None else given.claim)
        try:
            claimed = attempt.claim()
            if given is not None:
                self._begin(attempt, given)
        except Ignore as exc:
            return _ignored(exc)
        except Exception as exc:
            # Raised on, it would cost the pool a slot for good.
            logger.exception("task %s does not run here: it could not be claimed", uuid)
            return _ignored(exc)
        # With ignore_result Celery would skip every write, retries included.
        request.update(retries=claimed.retries, ignore_result=False)
        if claimed.attempt - 1 > claimed.retries:  # given back or lost: it was delivered before
            delivery = request.get("delivery_info") or {}
            request["delivery_info"] = {**delivery, "redelivered": True}
        with running(attempt):
            try:
                with self._traced(claimed, request) as span:
                    traced = self._trace_attempt(attempt, uuid, args, kwargs, request)
                    if traced.info is not None and traced.info.state != states.IGNORED:
                        tracing.fail(span, traced.info.state)
                return traced
            finally:
                attempt.write_log()  # of hooks and receivers that run after the end

    def _traced(self, claimed: Claim, request: dict[str, Any]) -> AbstractContextManager[Any]:
        about = {"taskgate.task_id": claimed.task_id, "taskgate.attempt": claimed.attempt}
        return tracing.run_span(self._task.name, request, **about)

    def _begin(self, attempt: Attempt, given: Handover) -> None:
        """Of an attempt that was claimed ahead, make sure that it is still to be run."""
        if given.start is not None and not given.start():
            raise Ignore("given back")
        if time.monotonic() - given.claimed_at > LOOK_AFTER_SECONDS and attempt.is_aborted():
            self._task.backend.mark_as_aborted(attempt)
            raise Ignore("aborted before it began")

    def _trace_attempt(self, attempt: Attempt, *arguments: Any) -> Any:
        try:
            traced = self._trace(*arguments)
        except BaseException as exc:
            if isinstance(exc, Exception) or _ends_the_process(exc):
                raise
            return self._exited(attempt, exc)
        if traced.info is not None and not attempt.has_ended:
            self._record_unrecorded(attempt, traced.info)
        return traced

    def _exited(self, attempt: Attempt, cause: BaseException) -> Any:
        """A hook or a signal's receiver tried to end the process."""
        exc = TaskExited(repr(cause))
        exc.__cause__ = cause
        info = ExceptionInfo((TaskExited, exc, cause.__traceback__))
        backend = self._task.backend
        backend.mark_as_failure(attempt.task_id, exc, info.traceback, request=attempt.request)
        return trace_ok_t(info, TraceInfo(states.FAILURE, exc), 0, None)

    def _record_unrecorded(self, attempt: Attempt, info: TraceInfo) -> None:
        """What Celery leaves to the task (Ignore) or to the broker (Reject)."""
        match info.state, info.retval:
            case states.IGNORED, _:
                self._task.backend.mark_as_ignored(attempt)
            case states.REJECTED, reject if reject.requeue:
                attempt.give_back()
            case states.REJECTED, reject:
                backend = self._task.backend
                backend.mark_as_failure(attempt.task_id, reject, request=attempt.request)


def _ignored(exc: Exception) -> Any:
    return trace_ok_t(ExceptionInfo(internal=True), TraceInfo(states.IGNORED, exc), 0, None)


class _Tracer:
    """``Task.__trace__``: whatever tracer Celery builds, the claim comes first."""

    def __get__(self, task: TaskgateTask | None, owner: type) -> ClaimingTracer | None:
        return None if task is None else task.__dict__.get("__trace__")

    def __set__(self, task: TaskgateTask, trace: Callable[..., Any] | None) -> None:
        task.__dict__["__trace__"] = None if trace is None else ClaimingTracer(task, trace)


class TaskgateTask(AbortableTask):  # type: ignore[type-arg]  # generic in its stubs only
    """A task whose life is in the record."""

    abstract = True

    backend: RecordBackend

    __trace__ = _Tracer()

    at_most_once = False
    """Never run again a task that lost its worker."""

    typed = False
    """Give parameters to the function as what they are annotated with."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run an attempt that a message stands for; elsewhere, just call the function."""
        call = cast("Any", super()).__call__
        return self._call(self._function(call), args, kwargs)

    def _function(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The function; a submission's policy overrides the task type's ``autoretry_for``."""
        attempt = running_attempt(self.request)
        if attempt is None or attempt.claim().retry_policy is None:
            return call
        function: Callable[..., Any] = getattr(self, "_orig_run", call)
        return function

    def _call(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        attempt = running_attempt(self.request)
        if attempt is None or attempt.is_running:
            return call(*args, **kwargs)
        attempt.is_running = True
        try:
            result = self._call_in_context(call, args, kwargs)
        except (Ignore, Reject):
            raise
        except Exception as exc:
            if attempt.must_stop:
                self._end_aborted(attempt, exc)
            self._retry_by_policy(attempt, exc)
            raise
        if attempt.must_stop:
            self._end_aborted(attempt, None)
        if attempt.next_attempt is not None:  # retry(throw=False)
            raise Retry("retry", None, datetime.now(UTC) + attempt.next_attempt.delay)
        return result

    def _call_in_context(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        args, kwargs = parameters_of(self).convert(args, kwargs)
        try:
            with context_factory(self.app.conf.get("taskgate_context"))():
                return call(*args, **kwargs)
        except BaseException as exc:
            if isinstance(exc, Exception) or _ends_the_process(exc):
                raise
            raise TaskExited(repr(exc)) from exc

    def _end_aborted(self, attempt: Attempt, cause: BaseException | None) -> None:
        self.backend.mark_as_aborted(attempt, self.request)
        raise Ignore("aborted") from cause

    def _retry_by_policy(self, attempt: Attempt, exc: Exception) -> None:
        policy = attempt.claim().retry_policy
        if policy is None or isinstance(exc, Retry) or not is_retryable(policy, exc):
            return
        retries = self.request.retries + 1
        raise self.retry(exc=exc, countdown=backoff(policy, retries).total_seconds())

    def retry(self, *args: Any, **options: Any) -> Any:
        """Celery's retry; the submission's number of attempts overrides ``max_retries``."""
        attempt = running_attempt(self.request)
        if attempt is not None:
            # What the message carried, not what the function was called with: that is converted.
            carried = attempt.request
            self.request.update(args=carried.args, kwargs=carried.kwargs)
        claimed = None if attempt is None else attempt.claim()
        if claimed is not None and claimed.retry_policy is not None:
            allowed = attempts_allowed(claimed.retry_policy, claimed.max_attempts, self.max_retries)
            options["max_retries"] = None if allowed is None else allowed - 1
        return super().retry(*args, **options)

    def signature_from_request(
        self,
        request: Any = None,
        args: Any = None,
        kwargs: Any = None,
        queue: str | None = None,
        **extra_options: Any,
    ) -> Signature[Any]:
        """What ``retry`` publishes: nothing.

        The record keeps what is due, and its dispatcher publishes it when it is; a message sent
        from here would find the attempt still running.
        """
        request = request or self.request
        signature = super().signature_from_request(request, args, kwargs, queue, **extra_options)
        attempt = running_attempt(request)
        if attempt is None:
            return signature
        columns, carried = changes_of(self.app, {"queue": queue, **extra_options})
        if args is not None or kwargs is not None:
            content_type = content_type_of(extra_options.get("serializer") or self.serializer)
            content_type = attempt.request.get(CONTENT_HEADER) or content_type
            body = kept(signature.args, signature.kwargs, content_type)
            carried["body"] = body  # in place of the one before
            columns["arguments"] = arguments_json(
                signature.args, signature.kwargs, must_be_json=body is None
            )
        planned = NextAttempt(
            delay=_delay(extra_options.get("countdown"), extra_options.get("eta")),
            retries=extra_options.get("retries", request.retries + 1),
            columns=columns,
            message=carried,
        )
        return _Planned(signature, attempt, planned)

    def on_replace(self, sig: Any) -> Any:
        """Have the record go on with the signature, or with the last task of a canvas.

        The next attempt is of the replacement; tasks of a canvas that come before it are recorded
        as well, and published from the record.
        """
        attempt = running_attempt(self.request)
        if attempt is None:
            return super().on_replace(sig)
        with held_back() as unsent:
            sig.delay()
        self.backend.mark_as_replaced(attempt, unsent)
        raise Ignore("replaced by another task")

    def is_aborted(self, **kwargs: Any) -> bool:
        """Whether the task was asked to stop. Cheap enough for a tight loop.

        A task that has seen it and ends, in whatever way, is ABORTED.
        """
        attempt = running_attempt(self.request)
        if attempt is None or kwargs.get("task_id", attempt.task_id) != attempt.task_id:
            return bool(super().is_aborted(**kwargs))
        return attempt.is_aborted()

    def report_progress(
        self, current: float, total: float | None = None, message: str = ""
    ) -> None:
        """Say how far the task is. Cheap enough for a tight loop."""
        meta = {"current": current, "total": total, "message": message}
        self.update_state(state="PROGRESS", meta=meta)


class _Planned(Signature[Any]):
    """A signature that, instead of being sent, says what the next attempt is to be."""

    def __init__(self, signature: Signature[Any], attempt: Attempt, planned: NextAttempt) -> None:
        super().__init__(cast("Any", signature))
        self._plan = attempt, planned

    def apply_async(self, *_: Any, **__: Any) -> None:  # type: ignore[override]
        attempt, planned = self._plan
        attempt.next_attempt = planned


def with_taskgate(cls: type[AnyTask]) -> type[AnyTask]:
    """The task class with ours below it, and around a ``__call__`` of its own.

    A ``__call__`` that is put upon the class later, as instrumentation does, calls ours in turn.
    """
    if cls is Task:
        return TaskgateTask
    if issubclass(cls, TaskgateTask) and getattr(cls.__call__, "claims", False):
        return cls

    def call(self: TaskgateTask, *args: Any, **kwargs: Any) -> Any:
        function: Any = super(made, self).__call__  # type: ignore[misc]  # not in its stubs
        return self._call(function, args, kwargs)

    call.claims = True  # type: ignore[attr-defined]
    members: dict[str, Any] = {"__call__": call, "__module__": cls.__module__}
    if "abstract" in cls.__dict__:
        members["abstract"] = cls.__dict__["abstract"]
    bases = (cls,) if issubclass(cls, TaskgateTask) else (cls, TaskgateTask)
    made: type[AnyTask] = cast("Any", type)(cls.__name__, bases, members)
    return made


TaskgateTask.__call__.claims = True  # type: ignore[attr-defined]  # see with_taskgate


def _delay(countdown: float | None, eta: datetime | None) -> timedelta:
    if eta is not None:
        return max(maybe_make_aware(eta) - datetime.now(UTC), timedelta(0))
    return timedelta(seconds=max(countdown or 0, 0))


def _ends_the_process(exc: BaseException) -> bool:
    """Whether it ends the process or greenlet that runs the task, not the task itself."""
    is_celerys = isinstance(exc, WorkerShutdown | WorkerTerminate)
    return is_celerys or type(exc).__name__ == "GreenletExit" or terminate_handler_fired()


@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(*function: Any, **options: Any) -> Any:
    """Make a function a task: ``@task`` or ``@task(name=…, queue=…, …)``.

    Takes all of Celery's options, and

    - ``at_most_once``: never run a task again that lost its worker; False if not given.
    - ``typed``: check the arguments against the function's annotations, and pass them as those
      types (dataclasses and pydantic models included); True if not given.
    """
    decorate: Any = shared_task(**{"base": TaskgateTask, "typed": True, **options})
    return decorate(*function) if function else decorate


ContextFactory = Callable[[], AbstractContextManager[Any]]


class ContextInvalid(Exception):
    """TASKGATE_CONTEXT names nothing that makes a context manager."""


@cache
def context_factory(name: str | None) -> ContextFactory:
    """What ``package.module:attribute`` names; without a name, a context that does nothing.

    Raises:
        ContextInvalid: there is no such thing, or it cannot be called.
    """
    if not name:
        return nullcontext
    module, _, attributes = name.partition(":")
    try:
        found: Any = reduce(getattr, attributes.split("."), cast("Any", import_module(module)))
    except (ImportError, AttributeError, ValueError) as exc:
        raise ContextInvalid(
            f"TASKGATE_CONTEXT={name!r} is not to be found as package.module:factory: {exc}"
        ) from exc
    if not callable(found):
        raise ContextInvalid(f"TASKGATE_CONTEXT={name!r} cannot be called")
    factory: ContextFactory = found
    return factory
