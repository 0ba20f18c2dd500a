"""From a schedule's message to one that may be recorded, apart from its task."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from taskgate.server.errors import InvalidRequest, Violation, Violations
from taskgate.server.requests import fields
from taskgate.server.text import quote
from taskgate.store.record import Timing
from taskgate.store.schedules import Missed, Overlap
from taskgate.tasks import timetable
from taskgate.v1 import schedules_pb2, task_service_pb2

MAX_MISSED_TICKS = 1_000
DEFAULT_MISSED_TICKS = 100
SHORTEST_INTERVAL = 1.0
"""Seconds."""

SAID = (
    *("cron", "interval", "time_zone", "task", "overlap_policy", "missed_ticks_policy"),
    *("max_missed_ticks", "description"),
)
"""The fields that callers choose, apart from the id."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,63}")

_OVERLAPS = {
    schedules_pb2.OVERLAP_POLICY_UNSPECIFIED: Overlap.SKIP,
    schedules_pb2.OVERLAP_POLICY_SKIP: Overlap.SKIP,
    schedules_pb2.OVERLAP_POLICY_ALLOW: Overlap.ALLOW,
    schedules_pb2.OVERLAP_POLICY_ABORT_RUNNING: Overlap.ABORT,
}
_MISSED = {
    schedules_pb2.MISSED_TICKS_POLICY_UNSPECIFIED: Missed.ONE,
    schedules_pb2.MISSED_TICKS_POLICY_SKIP: Missed.NONE,
    schedules_pb2.MISSED_TICKS_POLICY_RUN_ONE: Missed.ONE,
    schedules_pb2.MISSED_TICKS_POLICY_RUN_ALL: Missed.ALL,
}


def schedule_id(text: str, field: str = "id") -> str:
    """A schedule's id.

    Raises:
        InvalidRequest: no schedule can have it.
    """
    if not _ID.fullmatch(text):
        rule = "from 1 to 63 letters, digits, dots, dashes and underscores"
        raise InvalidRequest([Violation(field, f"{quote(text)} is no id: it has {rule}")])
    return text


def read(message: schedules_pb2.Schedule) -> dict[str, Any]:
    """What the message says of ticks, by the names of ``NewSchedule``'s fields.

    Raises:
        InvalidRequest: fields are wrong.
    """
    violations = Violations()
    overlap = _OVERLAPS.get(message.overlap_policy)
    if overlap is None:
        violations.add("schedule.overlap_policy", f"{message.overlap_policy} is none of them")
    missed = _MISSED.get(message.missed_ticks_policy)
    if missed is None:
        number = message.missed_ticks_policy
        violations.add("schedule.missed_ticks_policy", f"{number} is none of them")
    most = message.max_missed_ticks
    if not 0 <= most <= MAX_MISSED_TICKS:
        problem = f"{most} is not within 0 ({DEFAULT_MISSED_TICKS}) to {MAX_MISSED_TICKS}"
        violations.add("schedule.max_missed_ticks", problem)
    longest = fields.MAX_REASON_LENGTH
    values = {
        "timing": _timing(message, violations),
        "overlap": overlap,
        "missed": missed,
        "most_missed": most or DEFAULT_MISSED_TICKS,
        "description": fields.text(
            message.description, "schedule.description", longest, violations
        ),
    }
    violations.raise_if_any()
    return values


def _timing(message: schedules_pb2.Schedule, violations: Violations) -> Timing:
    match message.WhichOneof("timing"):
        case "interval":
            field = "schedule.interval"
            length = fields.duration(message.interval, field, violations)
            if length.total_seconds() < SHORTEST_INTERVAL:
                violations.add(field, f"{length.total_seconds():g} s is shorter than one second")
            if message.time_zone:
                violations.add("schedule.time_zone", "it is for cron expressions only")
            return Timing(interval=length.total_seconds())
        case "cron":
            return _cron(message, violations)
        case _:
            violations.add("schedule.timing", "it is not set; give cron or interval")
            return Timing()


def _cron(message: schedules_pb2.Schedule, violations: Violations) -> Timing:
    fields.text(message.cron, "schedule.cron", fields.MAX_NAME_LENGTH, violations)
    try:
        timetable.check_cron(message.cron)
    except ValueError as exc:
        hint = "it is five fields such as 30 2 * * mon-fri, or a name such as @daily"
        problem = f"{quote(message.cron)} is no cron expression ({exc}); {hint}"
        violations.add("schedule.cron", problem)
    try:
        timetable.zone(message.time_zone or "UTC")
    except ValueError as exc:
        violations.add("schedule.time_zone", str(exc))
    return Timing(cron=message.cron, zone=message.time_zone or "UTC")


def submission(template: schedules_pb2.TaskTemplate) -> task_service_pb2.SubmitRequest:
    """The Submit of a tick: a template has the numbers of its fields."""
    known = schedules_pb2.TaskTemplate()
    known.CopyFrom(template)
    known.DiscardUnknownFields()
    return task_service_pb2.SubmitRequest.FromString(known.SerializeToString())


def merged(
    current: schedules_pb2.Schedule, request: schedules_pb2.UpdateScheduleRequest
) -> schedules_pb2.Schedule:
    """The schedule as it is to be.

    Raises:
        InvalidRequest: the mask names what callers do not choose.
    """
    given = request.schedule
    paths: Iterable[str] = request.update_mask.paths
    if not paths:
        paths = [one.name for one, _ in given.ListFields() if one.name in SAID]
    elif "*" in paths:
        paths = SAID
    unknown = [path for path in paths if path not in SAID]
    if unknown:
        problem = f"{quote(unknown[0])} is none of {', '.join(SAID)}"
        raise InvalidRequest([Violation("update_mask", problem)])
    new, changed = schedules_pb2.Schedule(), schedules_pb2.Schedule()
    new.CopyFrom(current)
    changed.CopyFrom(given)
    for name in SAID:
        (new if name in paths else changed).ClearField(name)  # type: ignore[arg-type]  # a field
    changed.ClearField("id")
    if changed.HasField("interval"):
        new.ClearField("time_zone")
    new.MergeFrom(changed)
    return new
