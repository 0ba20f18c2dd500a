"""The result backend that is the record, ``taskgate+<database URL>``: Celery's words for it.

What it reads is in ``results.py``; each word about a task's end is a method of its Attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from celery import states
from celery.contrib.abortable import ABORTED
from celery.exceptions import TaskRevokedError
from celery.utils.log import get_logger

from taskgate.store.lifecycle import State
from taskgate.tasks import chords
from taskgate.tasks.attempt import Attempt, running_attempt
from taskgate.tasks.follow_ups import has_follow_ups
from taskgate.tasks.recording import Recorder
from taskgate.tasks.results import RecordReader
from taskgate.tasks.sending import Unsent, current_sender
from taskgate.tasks.serializing import ResultTooLarge, to_json

logger = get_logger(__name__)

Later = Callable[[str, Callable[[], None]], None]
"""Takes a task's id and what is to be done about it soon, in another thread."""

_NOT_RECORDED = frozenset({states.PENDING, states.RECEIVED, states.STARTED})


class RecordBackend(RecordReader):
    """Reads and writes the record in Celery's words."""

    _call_task_errbacks: Any
    _fail_chain: Any

    def __init__(self, app: Any, url: str | None = None, **options: Any) -> None:
        super().__init__(app, url, **options)
        self.recorder = Recorder(app, self.database)
        self.later: Later | None = None
        """Set in a worker's main process, whose event loop must not wait for a database."""

    def after_fork(self) -> None:
        """Call in a forked child, before anything else of the backend."""
        self.database.forget_connections()
        successes = self.recorder.successes
        self.recorder = Recorder(self.app, self.database)
        if successes is not None:
            successes.forked()
            self.recorder.successes = successes
        self.later = None

    def attempt(self, task_id: str, request: Any = None) -> Attempt:
        """The attempt that a program speaks of: its own, or that of an id or a message."""
        attempt = running_attempt(request)
        if attempt is not None and attempt.task_id == task_id:
            return attempt
        is_of_the_task = getattr(request, "id", task_id) == task_id
        return Attempt(self.recorder, task_id, request if is_of_the_task else None)

    def _soon(self, attempt: Attempt, action: Callable[[], None]) -> None:
        """Write now if the task runs here; the main process has a thread for it."""
        if self.later is None or attempt.claimed is not None:
            action()
        else:
            self.later(attempt.task_id, action)

    # What Celery writes.

    def store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: str | None = None,
        request: Any = None,
        **_: Any,
    ) -> Any:
        """Record what a program says about a task; who has no right to say it changes nothing.

        Raises:
            ResultNotSerializable: the result cannot be written as JSON.
            ResultTooLarge: it is longer than TASKGATE_MAX_RESULT_BYTES.
        """
        attempt = self.attempt(task_id, request)
        result = self.prepare_value(result)
        if state == states.SUCCESS:
            self._checked(result)  # what cannot be recorded is the caller's to know
        if state == states.STARTED and attempt.claimed is None and request is not None:
            self._soon(attempt, attempt.begin)
        elif state not in _NOT_RECORDED:
            children = _children(request)
            self._soon(attempt, lambda: _store(attempt, state, result, traceback, children))
        return result

    def _checked(self, result: Any) -> str:
        """The result as JSON text."""
        text = to_json(result)
        size, most = len(text.encode()), self.app.conf.get("taskgate_max_result_bytes")
        if most is not None and size > most:
            raise ResultTooLarge(
                f"the result has {size} bytes as JSON, and {most} are allowed: store it elsewhere "
                "and return where, or raise TASKGATE_MAX_RESULT_BYTES"
            )
        return text

    def mark_as_done(
        self,
        task_id: str,
        result: Any,
        request: Any = None,
        store_result: bool = True,
        state: str = states.SUCCESS,
    ) -> None:
        """Record a success, ignore_result or not; an eager call's only if Celery would."""
        is_recorded = store_result or not getattr(request, "is_eager", False)
        if is_recorded and not (state == states.SUCCESS and self._hand_over(request, result)):
            self.store_result(task_id, result, state, request=request)
        if request is not None and request.chord:
            self.on_chord_part_return(request, state, result)

    def _hand_over(self, request: Any, result: Any) -> bool:
        """Leave a success that nothing waits for to the worker's main process."""
        attempt = running_attempt(request)
        if attempt is None or self.recorder.successes is None:
            return False
        task = self.app.tasks[request.task]
        if getattr(task, "at_most_once", False) or has_follow_ups(task, request):
            return False
        return attempt.hand_over_success(self._checked(self.prepare_value(result)))

    def mark_as_failure(
        self,
        task_id: str,
        exc: Any,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        call_errbacks: bool = True,
        state: str = states.FAILURE,
    ) -> None:
        """Record a failure and tell who depends on the task, unless it is run again."""
        if getattr(request, "is_eager", False) and not store_result:
            self._after_failure(request, exc, traceback, state, call_errbacks)
            return
        attempt = self.attempt(task_id, request)

        children = _children(request)

        def fail() -> None:
            match attempt.fail(exc, traceback, children):
                case State.FAILED:
                    self._after_failure(request, exc, traceback, state, call_errbacks)
                case State.ABORTED:
                    self._after_abort(request)

        self._soon(attempt, fail)

    def _after_failure(
        self, request: Any, exc: Any, traceback: str | None, state: str, call_errbacks: bool
    ) -> None:
        if request is None:
            return
        if request.chord:
            self.on_chord_part_return(request, state, exc)
        chain = list(_each_task(getattr(request, "chain", None)))
        self._fail_chain(chain, exc, traceback, state=state)
        if call_errbacks and request.errbacks:
            self._call_task_errbacks(request, exc, traceback)

    def _after_abort(self, request: Any) -> None:
        """What follows an aborted task never runs."""
        self._after_failure(request, TaskRevokedError("aborted"), None, states.FAILURE, False)

    def mark_as_retry(
        self,
        task_id: str,
        exc: Any,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        state: str = states.RETRY,
    ) -> None:
        """Record that the attempt failed and when the next is due; a cold shutdown gives back."""
        del store_result, state
        attempt = self.attempt(task_id, request)

        def retry() -> None:
            match attempt.retry(exc, traceback):
                case State.FAILED:  # what the next attempt was to be cannot be recorded
                    self._after_failure(request, exc, traceback, states.FAILURE, call_errbacks=True)
                case State.ABORTED:
                    self._after_abort(request)

        self._soon(attempt, retry)

    def mark_as_revoked(
        self,
        task_id: str,
        reason: str = "",
        request: Any = None,
        store_result: bool = True,
        state: str = states.REVOKED,
    ) -> None:
        """Record that the worker ended a task by force, or dropped it unstarted."""
        del store_result, state
        attempt = self.attempt(task_id, request)

        def revoke() -> None:
            attempt.stop(reason)
            self._after_abort(request)

        self._soon(attempt, revoke)

    def mark_as_aborted(self, attempt: Attempt, request: Any = None) -> None:
        """Record that a task stopped because it was asked to; ``request``: Celery's of its run."""
        if attempt.stop(children=_children(request)) is State.ABORTED:
            self._after_abort(attempt.request)

    def mark_as_ignored(self, attempt: Attempt) -> None:
        """Record the end of a task that raised Ignore and recorded none itself."""
        attempt.succeed("null", [])
        if attempt.request.chord:
            self.on_chord_part_return(attempt.request, states.SUCCESS, None)

    def mark_as_replaced(self, attempt: Attempt, unsent: Sequence[Unsent]) -> None:
        """Record that the task goes on as another, which begins with what was not sent."""
        if attempt.replace(unsent) is State.ABORTED:
            self._after_abort(attempt.request)

    # Chords.

    def apply_chord(self, header_result_args: Any, body: Any, **options: Any) -> None:
        """Remember the chord; see ``chords.py``."""
        del options  # how often to look, and how long
        header = self.app.GroupResult(*header_result_args)
        queue = body.options.get("queue") or self.app.conf.task_default_queue
        with self.database.write() as tx:
            chords.save(tx, header, body, getattr(queue, "name", queue), current_sender())

    def add_to_chord(self, chord_id: str, result: Any) -> None:
        """Have the chord wait for another task."""
        with self.database.write() as tx:
            chords.add(tx, chord_id, result)

    def on_chord_part_return(self, request: Any, state: str, result: Any, **_: Any) -> None:
        """Start the chord's body if this was its last part."""
        del state, result
        self.recorder.write(request.id, lambda tx: chords.unlock(tx, request.group, request.id))


def _each_task(signatures: Any) -> Iterator[Any]:
    """The tasks that would have followed, those of groups each: Celery forgets these."""
    for one in signatures if isinstance(signatures, list | tuple) else ():
        is_canvas = one.get("subtask_type") in ("group", "chain")
        yield from _each_task(list(one["kwargs"]["tasks"])) if is_canvas else (one,)


def _children(request: Any) -> list[Any]:
    return [child.as_tuple() for child in getattr(request, "children", None) or ()]


def _store(
    attempt: Attempt, state: str, result: Any, traceback: str | None, children: list[Any]
) -> None:
    match state:
        case states.SUCCESS:
            attempt.succeed(to_json(result), children)
        case states.FAILURE:
            attempt.fail(result, traceback, children)
        case states.RETRY:
            attempt.retry(result, traceback)
        case states.REVOKED:
            attempt.stop(str(result))
        case _ if state == ABORTED:
            attempt.abort()
        case _:
            attempt.report(state, result)
