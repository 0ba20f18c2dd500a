"""Values as people read them. Times are UTC: viewers and machines are in many zones."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from taskgate.server.messages import values
from taskgate.server.text import printable
from taskgate.v1 import events_pb2, schedules_pb2, task_pb2, worker_pb2

_TOKEN = re.compile(r'\{\s*\}|\[\s*\]|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_SPACED = {",": ", ", ":": ": "}
_LINE = 80
"""Characters that a line may have before it is worth several."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment(message: Timestamp) -> datetime:
    """The time that the message stands for."""
    return message.ToDatetime(UTC)


def utc(time: datetime) -> str:
    """``2026-11-30 09:05:01.250``."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def ago(time: datetime, now: datetime | None = None) -> str:
    """How long ago it was: ``5 min ago``; ``in 2 h`` if it is to come."""
    length = (now or datetime.now(UTC)) - time
    if abs(length) < timedelta(seconds=1):
        return "now"
    return f"{rough(length)} ago" if length > timedelta(0) else f"in {rough(-length)}"


def rough(length: timedelta) -> str:
    """A length of time in one unit: ``5 min``."""
    seconds = length.total_seconds()
    size, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{int(seconds // size)} {unit}"


def span(length: timedelta | Duration) -> str:
    """A length of time, as exact as one wants to know: ``12 ms``, ``3.25 s``, ``2 min 5 s``."""
    seconds = (
        length.total_seconds() if isinstance(length, timedelta) else length.ToNanoseconds() / 1e9
    )
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    at = next(index for index, (size, _) in enumerate(_UNITS) if seconds >= size)
    (size, unit), (smaller, smaller_unit) = _UNITS[at], _UNITS[at + 1]
    whole, rest = divmod(int(seconds), size)
    return (
        f"{whole} {unit} {rest // smaller} {smaller_unit}" if rest // smaller else f"{whole} {unit}"
    )


def number(value: float) -> str:
    """``12,345``; fractions as short as they can be."""
    return f"{value:,}" if float(value).is_integer() else f"{value:,.6g}"


def percent(part: float, whole: float) -> str:
    """``42 %``."""
    return f"{100 * part / whole:.0f} %" if whole else ""


def state_name(state: task_pb2.TaskState.ValueType) -> str:
    """``RUNNING``."""
    return task_pb2.TaskState.Name(state).removeprefix("TASK_STATE_")


def outcome_name(outcome: task_pb2.AttemptOutcome.ValueType) -> str:
    """``LOST``; RUNNING for an attempt that has not ended."""
    name = task_pb2.AttemptOutcome.Name(outcome).removeprefix("ATTEMPT_OUTCOME_")
    return "RUNNING" if name == "UNSPECIFIED" else name


def error_reason(reason: task_pb2.TaskErrorReason.ValueType) -> str:
    """``TIMED_OUT``."""
    return task_pb2.TaskErrorReason.Name(reason).removeprefix("TASK_ERROR_REASON_")


def event_kind(kind: events_pb2.EventKind.ValueType) -> str:
    """``attempt ended``."""
    name = events_pb2.EventKind.Name(kind).removeprefix("EVENT_KIND_")
    return name.lower().replace("_", " ")


def tick_outcome(outcome: schedules_pb2.TickOutcome.ValueType) -> str:
    """``SUBMITTED``."""
    return schedules_pb2.TickOutcome.Name(outcome).removeprefix("TICK_OUTCOME_")


def worker_state(state: worker_pb2.WorkerState.ValueType) -> str:
    """``ALIVE``."""
    return worker_pb2.WorkerState.Name(state).removeprefix("WORKER_STATE_")


def short_id(text: str) -> str:
    """The end of a UUID, which tells those of one time apart; other ids as they are."""
    return f"…{text[-8:]}" if len(text) == 36 and text.count("-") == 4 else text


def path(text: str) -> str:
    """The text as a part of a URL's path."""
    return quote(text, safe="")


def arguments_text(task: task_pb2.Task) -> str:
    """The arguments as JSON text ``{"args": […], "kwargs": {…}}``, none of them changed."""
    if task.arguments_json:
        return indented(task.arguments_json)
    given = {"args": values.from_list(task.args), "kwargs": values.from_struct(task.kwargs)}
    return indented(json.dumps(given))


def result_text(task: task_pb2.Task) -> str:
    """What the task returned, as JSON text that changes nothing."""
    if task.result_json:
        return indented(task.result_json)
    return indented(json.dumps(values.from_value(task.result) if task.HasField("result") else None))


def indented(text: str) -> str:
    """JSON text over several lines, to the letter but for its spaces and escapes.

    It is never read as values: 1e400 and 0.10000000000000000001 are no Python floats. Text that is
    no JSON stays as it is.
    """
    words = _TOKEN.findall(text)
    compact = "".join(map(_SPACED.get, words, map(_readable, words)))
    if len(compact) <= _LINE:
        return compact
    lines, depth = [""], 0
    for word in words:
        if word in ("}", "]"):
            depth -= 1
            lines.append("  " * depth)
        lines[-1] += ": " if word == ":" else _readable(word)
        if word in ("{", "["):
            depth += 1
        if word in ("{", "[", ","):
            lines.append("  " * depth)
    return "\n".join(lines)


def json_text(value: Any) -> str:
    """A JSON value as text on one line."""
    return printable(json.dumps(value, ensure_ascii=False))


def _readable(word: str) -> str:
    """A string with its characters instead of their escapes; another word as it is."""
    return json_text(json.loads(word)) if word.startswith('"') else "".join(word.split())
