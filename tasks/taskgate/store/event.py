"""An event, and how rows of the record tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from taskgate.store.lifecycle import FINAL, OpenEnum, Outcome, Reason, State
from taskgate.store.record import Failure


class Kind(OpenEnum):
    """What happened, in the order in which it happens at one time."""

    SUBMITTED = "SUBMITTED"
    CALLED = "CALLED"
    STARTED = "STARTED"
    ABORT_REQUESTED = "ABORT_REQUESTED"
    ATTEMPT_ENDED = "ATTEMPT_ENDED"
    ENDED = "ENDED"


_RANKS = {kind: rank for rank, kind in enumerate(Kind)}


class Position(NamedTuple):
    """An event's place among all: times can be equal, positions cannot."""

    time: datetime
    task_id: str
    rank: int
    number: str

    @classmethod
    def before(cls, time: datetime) -> Position:
        """Before all that happened then."""
        return cls(time, "", 0, "")


BEGINNING = Position.before(datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a task; what is not set does not apply."""

    kind: Kind
    time: datetime
    task_id: str
    task_type: str
    queue: str
    state: State | None = None
    """Into which the task came."""
    attempt: int = 0
    worker: str = ""
    started_at: datetime | None = None
    """When the attempt started that ended."""
    outcome: Outcome | None = None
    failure: Failure | None = None
    caller: str = ""
    peer: str = ""
    request_id: str = ""
    call: str = ""
    detail: str = ""
    retry_of: str = ""
    call_id: str = ""
    """Tells one call from another."""

    @property
    def number(self) -> str:
        """What tells it from others of its kind and task."""
        return self.call_id or f"{self.attempt:09}"

    @property
    def position(self) -> Position:
        """Where it stands among all events."""
        return Position(self.time, self.task_id, _RANKS[self.kind], self.number)


def history(task: Row[Any], past: Iterable[Row[Any]]) -> Iterator[Event]:
    """All that a record and its past attempts tell of a task."""
    yield submitted(task)
    for attempt in past:
        if attempt.number < task.attempt:  # the record was read first, and can have moved on since
            if attempt.started_at is not None:
                yield started(attempt)
            yield attempt_ended(attempt)
    if task.started_at is not None:
        yield started(task)
        if task.abort_requested_at is not None:
            yield abort_requested(task)
    if task.state in FINAL:
        yield ended(task)


def _about(row: Row[Any]) -> dict[str, Any]:
    return {"task_id": row.id, "task_type": row.task_type, "queue": row.queue}


def submitted(row: Row[Any]) -> Event:
    """Of a record."""
    return Event(
        Kind.SUBMITTED,
        row.created_at,
        **_about(row),
        caller=row.submitted_by,
        peer=row.submitted_from or "",
        request_id=row.request_id or "",
        retry_of=row.retry_of or "",
    )


def started(row: Row[Any]) -> Event:
    """Of a record, or of a past attempt."""
    return Event(
        Kind.STARTED,
        row.started_at,
        **_about(row),
        state=State.RUNNING,
        attempt=row.attempt,
        worker=row.worker or "",
    )


def abort_requested(row: Row[Any]) -> Event:
    """Of a record."""
    return Event(
        Kind.ABORT_REQUESTED,
        row.abort_requested_at,
        **_about(row),
        state=State.ABORTING,
        attempt=row.attempt,
        worker=row.worker or "",
        caller=row.abort_by or "",
        detail=row.abort_reason or "",
    )


def attempt_ended(row: Row[Any]) -> Event:
    """Of a past attempt."""
    return Event(
        Kind.ATTEMPT_ENDED,
        row.ended_at,
        **_about(row),
        state=State.RETRYING if row.outcome is Outcome.FAILED else State.QUEUED,
        attempt=row.attempt,
        worker=row.worker or "",
        started_at=row.started_at,
        outcome=row.outcome,
        failure=row.failure,
    )


_OUTCOMES: Mapping[State, Outcome] = {
    State.SUCCEEDED: Outcome.SUCCEEDED,
    State.FAILED: Outcome.FAILED,
    State.ABORTED: Outcome.ABORTED,
}


def ended(row: Row[Any]) -> Event:
    """Of a record that is final."""
    failure = row.failure if row.state is State.FAILED else None
    lost = failure is not None and failure.reason is Reason.WORKER_LOST
    has_run = row.started_at is not None
    was_aborted = row.state is State.ABORTED
    return Event(
        Kind.ENDED,
        row.finished_at,
        **_about(row),
        state=row.state,
        attempt=row.attempt if has_run else 0,
        worker=(row.worker or "") if has_run else "",
        started_at=row.started_at,
        outcome=(Outcome.LOST if lost else _OUTCOMES.get(row.state)) if has_run else None,
        failure=failure,
        caller=(row.abort_by or "") if was_aborted else "",
        detail=(row.abort_reason or "") if was_aborted else "",
    )


def called(row: Row[Any]) -> Event:
    """Of a call."""
    return Event(
        Kind.CALLED,
        row.called_at,
        **_about(row),
        caller=row.caller,
        peer=row.peer,
        call=row.call,
        detail=row.detail,
        call_id=row.call_id,
    )


FROM_ROW: Mapping[Kind, Callable[[Row[Any]], Event]] = {
    Kind.SUBMITTED: submitted,
    Kind.CALLED: called,
    Kind.STARTED: started,
    Kind.ABORT_REQUESTED: abort_requested,
    Kind.ATTEMPT_ENDED: attempt_ended,
    Kind.ENDED: ended,
}
