"""The record as it should be, in plain Python: what each step does to one task."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Outcome, State

MAX_LOSSES = 1


@dataclass
class Row:
    """What waits in the outbox."""

    attempt: int
    is_due: bool
    published: bool = False
    held: bool = False
    """By a pause."""


@dataclass
class Task:
    """One task; the guards are those of docs/architecture.md, said again."""

    state: State = State.QUEUED
    version: int = 1
    attempt: int = 1
    losses: int = 0
    worker: str | None = None
    overdue: bool = False
    """Its time to start is over."""
    forced: bool = False
    row: Row | None = None
    past: list[Outcome] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def _become(self, state: State) -> None:
        self.state = state
        self.version += 1

    def publish(self) -> bool:
        """Whether the dispatcher takes it."""
        if self.row is None or self.row.published or self.row.held or not self.row.is_due:
            return False
        if self.state in (State.SCHEDULED, State.RETRYING):
            self._become(State.QUEUED)
        self.row.published = True
        return True

    def claim(self, attempt: int, worker: str, *, has_lease: bool, paused: bool) -> bool:
        """Whether a worker with this attempt's message wins it."""
        waits = self.state is State.QUEUED and attempt == self.attempt
        if waits and has_lease and not self.overdue and not paused:
            self.worker, self.row = worker, None
            self._become(State.RUNNING)
            return True
        self.expire()
        return False

    def hold(self, attempt: int) -> bool:
        """Whether a message that came waits for the end of a pause."""
        if self.state is not State.QUEUED or attempt != self.attempt or self.row is None:
            return False
        self.row.held, self.row.published = True, False
        return True

    def expire(self) -> bool:
        """Whether it was its time to."""
        if self.overdue and self.state in WAITING:
            self.row = None
            self._become(State.EXPIRED)
            return True
        return False

    def end(self, attempt: int, state: State, *sources: State) -> bool:
        """Whether the attempt was there to be ended so."""
        if attempt != self.attempt or self.state not in (sources or ACTIVE):
            return False
        self._become(state)
        return True

    def stop(self, attempt: int) -> bool:
        return self.end(attempt, State.ABORTED, State.ABORTING)

    def go_on(self, attempt: int, state: State, outcome: Outcome, *, is_due: bool) -> bool:
        """Whether the attempt was there to be followed by the next."""
        if not self.end(attempt, state, State.RUNNING):
            return False
        self.past.append(outcome)
        self.attempt += 1
        self.row = Row(self.attempt, is_due)
        return True

    def lose(self, attempt: int) -> bool:
        """The worker died."""
        if self.losses < MAX_LOSSES and self.go_on(
            attempt, State.QUEUED, Outcome.LOST, is_due=True
        ):
            self.losses += 1
            return True
        return self.stop(attempt) or self.end(attempt, State.FAILED)

    def report(self, attempt: int) -> bool:
        return self.end(attempt, self.state)

    def abort(self, *, force: bool) -> None:
        if self.state in WAITING:
            self.row = None
            self._become(State.ABORTED)
        elif self.state is State.RUNNING:
            self._become(State.ABORTING)
        if self.state is State.ABORTING and force and not self.forced:
            self.forced = True
            self.version += 1
