"""Who calls, and what they may: roles for calls, patterns for the task types and queues they see.

What is outside a caller's patterns does not exist for it: lists leave it out, and a task's id is
answered TASK_NOT_FOUND, as one that was never used is. Only a name that the caller gave itself is
refused as not allowed, which tells nothing of what there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from functools import cache

from taskgate.server.errors import QueueNotAllowed, RoleMissing, TaskTypeNotAllowed
from taskgate.store.errors import TaskNotFound
from taskgate.store.workers import Worker


class Role(StrEnum):
    """What a call needs of its caller."""

    READ = "read"
    SUBMIT = "submit"
    ABORT = "abort"
    ADMIN = "admin"
    """All that the others may, and what changes more than single tasks."""


ALL_ROLES = frozenset(Role)

MAX_PEER_LENGTH = 255
"""Paths of UNIX sockets can be longer."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Names as shells match them: ``*``, ``?``, ``[…]``; capitals count."""

    texts: tuple[str, ...]

    def allow(self, name: str) -> bool:
        """Whether one of them matches."""
        return _compiled(self.texts).fullmatch(name) is not None

    def __str__(self) -> str:
        """The patterns as they were given."""
        return ",".join(self.texts)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    name: str
    roles: frozenset[Role] = ALL_ROLES
    task_types: Patterns | None = None
    """What its tasks' types must match; anything if None."""
    queues: Patterns | None = None
    """What its tasks' queues must match; anything if None."""
    peer: str = ""
    """Where its call came from, as gRPC names peers; of calls that write only."""
    trace: str | None = None
    """The traceparent of its call; of calls that write only, where they are traced."""

    @property
    def sees_all(self) -> bool:
        """There are no tasks that it must not see."""
        return self.task_types is None and self.queues is None

    def check_role(self, role: Role, call: str) -> None:
        """See that it may make a call.

        Raises:
            RoleMissing: it may not.
        """
        if self.roles is not ALL_ROLES and not self.roles & {role, Role.ADMIN}:
            raise RoleMissing(self.name, role.value, call, sorted(self.roles))

    def check_may_name(self, task_type: str, queue: str) -> None:
        """See that it may submit tasks of a type to a queue; an empty queue is not looked at.

        Raises:
            TaskTypeNotAllowed, QueueNotAllowed: it may not.
        """
        if self.task_types is not None and not self.task_types.allow(task_type):
            raise TaskTypeNotAllowed(self.name, task_type, str(self.task_types))
        if queue and self.queues is not None and not self.queues.allow(queue):
            raise QueueNotAllowed(self.name, queue, str(self.queues))

    def sees_type(self, task_type: str) -> bool:
        """Whether tasks of the type exist for it."""
        return self.task_types is None or self.task_types.allow(task_type)

    def sees_queue(self, queue: str) -> bool:
        """Whether tasks of the queue exist for it."""
        return self.queues is None or self.queues.allow(queue)

    def sees(self, task_type: str, queue: str) -> bool:
        """Whether a task of this type in this queue exists for it."""
        return self.sees_type(task_type) and self.sees_queue(queue)

    def sees_worker(self, worker: Worker) -> bool:
        """Whether the worker takes tasks from a queue that exists for it."""
        return self.queues is None or any(map(self.sees_queue, worker.details.get("queues") or ()))

    def check_sees(self, task_id: str, task_type: str, queue: str) -> None:
        """See that a task exists for it.

        Raises:
            TaskNotFound: it does not; the answer is that for an id without a record.
        """
        if not self.sees(task_type, queue):
            raise TaskNotFound(task_id)


ANYONE = Caller("")
"""The caller on a server that asks nobody who they are."""


def roles(names: Iterable[str]) -> frozenset[Role]:
    """The roles with these names.

    Raises:
        ValueError: a name is no role's.
    """
    return frozenset(map(Role, names))


@cache
def _compiled(texts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, texts)))
