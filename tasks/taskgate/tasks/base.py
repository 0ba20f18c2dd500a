"""The base of every task: it claims its attempt before the user's code, and minds its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from celery import Task
from celery.canvas import Signature
from celery.contrib.abortable import AbortableTask
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.log import get_logger
from celery.utils.time import maybe_make_aware

from taskgate.tasks import claiming, retrying
from taskgate.tasks.context import context_factory
from taskgate.tasks.run import NextAttempt, Run, attach, run_of
from taskgate.tasks.serializing import arguments_json
from taskgate.tasks.signature import parameters_of

if TYPE_CHECKING:
    from taskgate.tasks.backend import RecordBackend

    AnyTask = Task[Any, Any]

logger = get_logger(__name__)


class TaskgateTask(AbortableTask):  # type: ignore[type-arg]  # generic in its stubs only
    """A task whose life is in the record."""

    abstract = True

    backend: RecordBackend

    at_most_once = False
    """Never run again a task that lost its worker."""

    typed = False
    """Give parameters to the function as what they are annotated with."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run an attempt that a message stands for; elsewhere, just call the function."""
        request = self.request
        if request.called_directly or request.is_eager or run_of(request) is not None:
            return self._users_code()(*args, **kwargs)
        run = claiming.claim(self, request)
        attach(request, run)
        return self._run_to_its_end(run, args, kwargs)

    def _run_to_its_end(self, run: Run, args: Any, kwargs: Any) -> Any:
        try:
            result = self._run_in_context(run, args, kwargs)
        except Reject as exc:
            self.backend.mark_as_rejected(run, exc, self.request)
            raise Ignore(f"rejected: {exc}") from exc
        except Ignore:
            self.backend.mark_as_ignored(run, self.request)
            raise
        except Exception as exc:
            if run.must_stop:
                self._end_aborted(run, exc)
            self._retry_if_policy_says_so(run, exc)
            raise
        if run.must_stop:
            self._end_aborted(run, None)
        if run.next_attempt is not None:  # retry(throw=False)
            raise Retry("retry", None, datetime.now(UTC) + run.next_attempt.delay)
        return result

    def _end_aborted(self, run: Run, cause: BaseException | None) -> None:
        self.backend.mark_as_aborted(run, self.request)
        raise Ignore("aborted") from cause

    def _run_in_context(self, run: Run, args: Any, kwargs: Any) -> Any:
        args, kwargs = parameters_of(self).convert(args, kwargs)
        code = self._users_code(without_autoretry=run.claim.retry_policy is not None)
        with self._context():
            return code(*args, **kwargs)

    def _context(self) -> AbstractContextManager[Any]:
        return context_factory(self.app.conf.get("taskgate_context"))()

    def _users_code(self, *, without_autoretry: bool = False) -> Callable[..., Any]:
        """The function, or a ``__call__`` that a user's own base class wraps around it."""
        for cls in type(self).__mro__:
            call = cls.__dict__.get("__call__")
            if call is not None and call is not TaskgateTask.__call__ and cls is not Task:
                bound: Callable[..., Any] = call.__get__(self)
                return bound
        # The policy of the submission stands over the task type's autoretry_for.
        name = "_orig_run" if without_autoretry and hasattr(self, "_orig_run") else "run"
        function: Callable[..., Any] = getattr(self, name)
        return function

    def _retry_if_policy_says_so(self, run: Run, exc: Exception) -> None:
        policy = run.claim.retry_policy
        if policy is None or isinstance(exc, Retry) or not retrying.is_retryable(policy, exc):
            return
        retries = self.request.retries + 1
        wait = retrying.backoff(policy, retries)
        raise self.retry(exc=exc, countdown=wait.total_seconds())

    def retry(self, *args: Any, **options: Any) -> Any:
        """Celery's retry; the submission's number of attempts stands over ``max_retries``."""
        run = run_of(self.request)
        if run is not None and run.claim.retry_policy is not None:
            allowed = retrying.attempts_allowed(
                run.claim.retry_policy, run.claim.max_attempts, self.max_retries
            )
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
        run = run_of(request)
        if run is None:
            return signature
        changed = args is not None or kwargs is not None
        planned = NextAttempt(
            delay=_delay(extra_options.get("countdown"), extra_options.get("eta")),
            retries=extra_options.get("retries", request.retries + 1),
            arguments=arguments_json(signature.args, signature.kwargs) if changed else None,
        )
        return _Planned(signature, run, planned)

    def on_replace(self, sig: Any) -> Any:
        """Not possible: the record of a task belongs to one function and its arguments."""
        if self.request.is_eager:
            return super().on_replace(sig)
        raise NotImplementedError("Task.replace is not possible here: return a new task's id")

    def is_aborted(self, **kwargs: Any) -> bool:
        """Whether the task was asked to stop. Cheap enough for a tight loop.

        A task that has seen it and ends, in whatever way, is ABORTED.
        """
        run = run_of(self.request)
        if run is None or kwargs.get("task_id", run.claim.task_id) != run.claim.task_id:
            return bool(super().is_aborted(**kwargs))
        return run.should_stop()

    def report_progress(
        self, current: float, total: float | None = None, message: str = ""
    ) -> None:
        """Say how far the task is. Cheap enough for a tight loop."""
        meta = {"current": current, "total": total, "message": message}
        self.update_state(state="PROGRESS", meta=meta)


class _Planned(Signature[Any]):
    """A signature that, instead of being sent, says what the next attempt is to be."""

    def __init__(self, signature: Signature[Any], run: Run, planned: NextAttempt) -> None:
        super().__init__(cast("Any", signature))
        self._plan = run, planned

    def apply_async(self, *_: Any, **__: Any) -> None:  # type: ignore[override]
        run, planned = self._plan
        run.next_attempt = planned


def with_taskgate(cls: type[AnyTask]) -> type[AnyTask]:
    """The task class, its own members first, with the claim around whatever it calls."""
    if issubclass(cls, TaskgateTask):
        return cls
    if cls is Task:
        return TaskgateTask
    members: dict[str, Any] = {"__call__": TaskgateTask.__call__, "__module__": cls.__module__}
    if "abstract" in cls.__dict__:
        members["abstract"] = cls.__dict__["abstract"]
    made: type[AnyTask] = cast("Any", type)(cls.__name__, (cls, TaskgateTask), members)
    return made


def _delay(countdown: float | None, eta: datetime | None) -> timedelta:
    if eta is not None:
        return max(maybe_make_aware(eta) - datetime.now(UTC), timedelta(0))
    return timedelta(seconds=max(countdown or 0, 0))
