"""How many tasks there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from taskgate.client.task import state_from_message
from taskgate.v1 import counts_pb2

By = Literal["state", "task_type", "queue"]


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many tasks of a group there are."""

    tasks: int
    estimated: bool
    """Whether that is the database's estimate, beyond 100,000 tasks."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many tasks there are."""

    tasks: int
    estimated: bool
    """Whether that is the database's estimate, beyond 100,000 tasks."""
    groups: Mapping[str, GroupCount]
    """The same of each state, task type or queue that has any."""


def counted_from_message(message: counts_pb2.CountResponse) -> Counted:
    """The only place where a message becomes Counted."""
    return Counted(
        tasks=message.tasks,
        estimated=message.estimated,
        groups={_name(one): GroupCount(one.tasks, one.estimated) for one in message.groups},
    )


def group_by(by: By | None) -> counts_pb2.CountBy.ValueType:
    """By what tasks are counted apart, as the call takes it."""
    return counts_pb2.CountBy.Value(f"COUNT_BY_{'UNSPECIFIED' if by is None else by.upper()}")


def _name(group: counts_pb2.CountGroup) -> str:
    if group.WhichOneof("group") == "state":
        return state_from_message(group.state).value
    return group.task_type or group.queue
