"""Which tasks a request is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from taskgate.server.callers import Caller
from taskgate.server.errors import Violations
from taskgate.server.requests import fields
from taskgate.server.requests.schedules import schedule_id
from taskgate.store import listing
from taskgate.store.lifecycle import State
from taskgate.v1 import task_filter_pb2, task_pb2, task_service_pb2

MAX_VALUES = 100
"""Each value of a filter costs a search of its own."""

Carrier = task_service_pb2.ListRequest | task_filter_pb2.TaskFilter
"""The messages that have the fields of a filter."""

_STATES = {
    task_pb2.TaskState.Value(f"TASK_STATE_{state}"): state for state in State
}  # by their numbers


def seen(tx: Connection, wanted: listing.Filter, caller: Caller) -> listing.Filter | None:
    """What is wanted within the caller's patterns, as names, by which lists are read in order.

    None if nothing is left.
    """
    task_types, queues = wanted.task_types, wanted.queues
    if caller.task_types is not None:
        task_types = frozenset(filter(caller.sees_type, task_types or listing.task_types(tx)))
    if caller.queues is not None:
        queues = frozenset(filter(caller.sees_queue, queues or listing.queues(tx)))
    is_empty = (caller.task_types and not task_types) or (caller.queues and not queues)
    return None if is_empty else replace(wanted, task_types=task_types, queues=queues)


def read(request: Carrier) -> listing.Filter:
    """The filter that a request carries.

    Raises:
        InvalidRequest: fields are wrong.
    """
    violations = Violations()
    wanted = listing.Filter(
        states=_states(request, violations),
        task_types=_names(request.task_types, "task_types", violations),
        queues=_names(request.queues, "queues", violations),
        labels=fields.labels(request.labels, violations),
        created_from=_time(request, "create_time_from", violations),
        created_before=_time(request, "create_time_before", violations),
        schedules=frozenset(
            [schedule_id(request.schedule, "schedule")] if request.schedule else []
        ),
        root_ids=frozenset([fields.task_id(request.root_id, "root_id")] if request.root_id else []),
    )
    violations.raise_if_any()
    return wanted


def _states(request: Carrier, violations: Violations) -> frozenset[State]:
    if len(request.states) > MAX_VALUES:
        description = f"{len(request.states)} are too many; {MAX_VALUES} are allowed"
        violations.add("states", description)
        return frozenset()
    for index, number in enumerate(request.states):
        if number not in _STATES:
            violations.add(f"states[{index}]", f"{number} is no state")
    return frozenset(_STATES[number] for number in request.states if number in _STATES)


def _names(names: Sequence[str], field: str, violations: Violations) -> frozenset[str]:
    if len(names) > MAX_VALUES:
        violations.add(field, f"{len(names)} are too many; {MAX_VALUES} are allowed")
        return frozenset()
    for index, name in enumerate(names):
        fields.text(name, f"{field}[{index}]", fields.MAX_NAME_LENGTH, violations)
    return frozenset(names)


def _time(
    request: Carrier,
    field: Literal["create_time_from", "create_time_before"],
    violations: Violations,
) -> datetime | None:
    if not request.HasField(field):
        return None
    return fields.timestamp(getattr(request, field), field, violations)
