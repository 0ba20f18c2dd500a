"""A task's life: its states and the only transitions between them.

Every change of state anywhere in taskgate is one of the transitions named here, made by one guarded
statement (see ``transitions.py``). To add a transition, add it here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """An enum that also takes values that only a newer taskgate knows, under their own names."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = str(value)
        return unknown


class State(OpenEnum):
    """Where a task is in its life."""

    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    ABORTING = "ABORTING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED, State.EXPIRED})
"""Nothing leaves these."""

WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})
"""No worker has the task: an abort ends it at once."""

ACTIVE = frozenset({State.RUNNING, State.ABORTING})
"""A worker has claimed the current attempt."""


class Outcome(OpenEnum):
    """How an attempt ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    LOST = "LOST"
    RETURNED = "RETURNED"


class Reason(OpenEnum):
    """The kind of a failure."""

    EXCEPTION = "EXCEPTION"
    WORKER_LOST = "WORKER_LOST"
    TIMED_OUT = "TIMED_OUT"
    RESULT_NOT_SERIALIZABLE = "RESULT_NOT_SERIALIZABLE"
    RESULT_TOO_LARGE = "RESULT_TOO_LARGE"
    TASK_TYPE_NOT_REGISTERED = "TASK_TYPE_NOT_REGISTERED"
    ARGUMENTS_INVALID = "ARGUMENTS_INVALID"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Transition:
    """A named way from some states to one other.

    ``fenced``: whoever makes it must name the current attempt, so that a worker that was given up
    for dead cannot speak for the attempt that replaced it.
    """

    name: str
    sources: frozenset[State]
    target: State
    fenced: bool


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


DUE = Transition("due", _from(State.SCHEDULED, State.RETRYING), State.QUEUED, fenced=False)
"""The time has come: the dispatcher publishes it."""

CLAIM = Transition("claim", _from(State.QUEUED), State.RUNNING, fenced=True)
"""A worker wins the right to run the attempt."""

SUCCEED = Transition("succeed", ACTIVE, State.SUCCEEDED, fenced=True)
"""The task returned without having seen an abort."""

FAIL = Transition("fail", ACTIVE, State.FAILED, fenced=True)
"""The task raised, or was ended by a limit, and is not tried again."""

STOP = Transition("stop", _from(State.ABORTING), State.ABORTED, fenced=True)
"""The task saw the abort and ended, or was ended because of it."""

BACK_OFF = Transition("back_off", _from(State.RUNNING), State.RETRYING, fenced=True)
"""The attempt failed; the next is due later."""

GIVE_BACK = Transition("give_back", _from(State.RUNNING), State.QUEUED, fenced=True)
"""The worker is shutting down, or died: the next attempt is due now."""

REPLACE = {
    state: Transition("replace", _from(State.RUNNING), state, fenced=True)
    for state in (State.QUEUED, State.SCHEDULED)
}
"""The task goes on as another, due now or later, or that others are to start."""

SUBSTITUTE = Transition("substitute", _from(State.QUEUED), State.QUEUED, fenced=True)
"""What the task goes on as has come."""

CANCEL = Transition("cancel", WAITING, State.ABORTED, fenced=False)
"""Aborted before a worker had it: it never runs."""

REQUEST_ABORT = Transition("request_abort", _from(State.RUNNING), State.ABORTING, fenced=False)
"""Aborted while it runs: the task is told."""

FORCE_ABORT = Transition("force_abort", _from(State.ABORTING), State.ABORTING, fenced=False)
"""The worker is told to end the task's process when the grace period is over."""

REPORT = {
    state: Transition("report", _from(state), state, fenced=True)
    for state in (State.RUNNING, State.ABORTING)
}
"""Progress: the state stays, the version moves."""

EXPIRE = Transition("expire", WAITING, State.EXPIRED, fenced=False)
"""Not started in time: it never runs."""

TRANSITIONS: tuple[Transition, ...] = (
    DUE,
    CLAIM,
    SUCCEED,
    FAIL,
    STOP,
    BACK_OFF,
    GIVE_BACK,
    *REPLACE.values(),
    SUBSTITUTE,
    CANCEL,
    REQUEST_ABORT,
    FORCE_ABORT,
    *REPORT.values(),
    EXPIRE,
)
"""All of them."""
