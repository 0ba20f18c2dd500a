"""What the store raises.

::

    StoreError
    ├── StoreUnavailable     the database does not answer; the same call may work later
    │   └── RecordLocked     someone's transaction has a record, and does not end
    ├── ValueRefused         the database cannot hold a value; the same call will never work
    ├── SchemaOutdated       the tables are missing, or of another taskgate
    ├── TaskNotFound         no record has the id
    ├── TaskNotFinal         the call needs a final task
    ├── OperationNotFound    no operation has the id
    ├── ScheduleNotFound     no schedule has the id
    ├── ScheduleExists       another schedule has the id
    ├── TooManyTasks         an operation would be about more tasks than one may
    ├── TaskAlreadyFinal     the call needs a task that has not ended
    └── SubmissionRefused
        ├── RequestIdReused  the request id stands for other content
        └── UniqueKeyHeld    another task holds the unique key
"""

from __future__ import annotations

from taskgate.store.lifecycle import State


class StoreError(Exception):
    """The record could not be read or changed as asked."""


class StoreUnavailable(StoreError):
    """The database does not answer; the same call may work later."""


class RecordLocked(StoreUnavailable):
    """Another transaction has locked a record for longer than one waits for it."""


class ValueRefused(StoreError):
    """The database cannot hold a value, such as a name that is too long."""


class SchemaOutdated(StoreError):
    """The tables are missing, older or too new; the message says what to run."""


class TaskNotFound(StoreError):
    """No record has this id."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"no task has the id {task_id!r}")
        self.task_id = task_id


class TaskNotFinal(StoreError):
    """The task has not ended, and the call needs one that has."""

    def __init__(self, task_id: str, state: State) -> None:
        super().__init__(f"task {task_id} is {state}, which is not final")
        self.task_id = task_id
        self.state = state


class TaskAlreadyFinal(StoreError):
    """The task has ended, and the call needs one that has not."""

    def __init__(self, task_id: str, state: State) -> None:
        super().__init__(f"task {task_id} is {state} already")
        self.task_id = task_id
        self.state = state


class SubmissionRefused(StoreError):
    """What is on record keeps a submission away."""


class RequestIdReused(SubmissionRefused):
    """The caller used this request id before, for other content."""

    def __init__(self, request_id: str, task_id: str, what: str = "task") -> None:
        """``task_id``: of what it was used for; ``what`` that is."""
        super().__init__(
            f"request_id {request_id!r} was used before, with other content, for {what} {task_id}"
        )
        self.request_id = request_id
        self.task_id = task_id


class UniqueKeyHeld(SubmissionRefused):
    """Another task of the type holds the unique key."""

    def __init__(self, key: str, task_id: str) -> None:
        super().__init__(f"the unique key {key!r} is held by task {task_id}")
        self.key = key
        self.task_id = task_id


class OperationNotFound(StoreError):
    """No operation has this id."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"no operation has the id {operation_id!r}")
        self.operation_id = operation_id


class ScheduleNotFound(StoreError):
    """No schedule has this id."""

    def __init__(self, schedule_id: str) -> None:
        super().__init__(f"no schedule has the id {schedule_id!r}")
        self.schedule_id = schedule_id


class ScheduleExists(StoreError):
    """Another schedule has this id."""

    def __init__(self, schedule_id: str) -> None:
        super().__init__(f"there is another schedule {schedule_id!r}: update it, or choose an id")
        self.schedule_id = schedule_id


class TooManyTasks(StoreError):
    """An operation would be about more tasks than one may."""
