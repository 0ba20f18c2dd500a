"""The list of tasks. Every filter is in the URL, so that a list can be sent to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from google.protobuf.timestamp_pb2 import Timestamp
from starlette.datastructures import QueryParams
from starlette.responses import Response

from taskgate.server.errors import InvalidRequest, RequestError, Violation, Violations
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.web.refusals import refusal_of
from taskgate.web.visit import Visit

STATES = [name.removeprefix("TASK_STATE_") for name in task_pb2.TaskState.keys()[1:]]
PERIODS = {
    "15m": ("15 minutes", timedelta(minutes=15)),
    "1h": ("hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
}
SIZES = (50, 200, 1000)

_ONE_OF = ("type", "queue", "id", "root", "since", "from", "before", "size", "label", "schedule")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the URL asks for, as it was written."""

    states: Sequence[str] = ()
    type: str = ""
    queue: str = ""
    label: str = ""
    """``key=value``, several parted by commas."""
    id: str = ""
    """What ids begin with."""
    root: str = ""
    schedule: str = ""
    since: str = ""
    """One of PERIODS."""
    from_: str = ""
    before: str = ""
    """Times as ISO 8601 has them, UTC unless they say otherwise."""
    size: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Filters:
        """The filters of a URL."""
        one = {name: query.get(name, "").strip() for name in _ONE_OF}
        one["from_"] = one.pop("from")
        return cls(states=[state for state in query.getlist("state") if state], **one)

    def query(self, **changed: Any) -> str:
        """The URL's query for these filters, some of them changed; what is empty is left out."""
        values: dict[str, Any] = {
            "state": self.states,
            "from": self.from_,
            **{name: getattr(self, name) for name in _ONE_OF if name != "from"},
            **changed,
        }
        return urlencode({name: value for name, value in values.items() if value}, doseq=True)

    def request(self, now: datetime) -> task_service_pb2.ListRequest:
        """What to ask for.

        Raises:
            InvalidRequest: a filter cannot be read.
        """
        violations = Violations()
        request = task_service_pb2.ListRequest(
            states=[_state(name, violations) for name in self.states],
            task_types=[self.type] if self.type else [],
            queues=[self.queue] if self.queue else [],
            labels=read_labels(self.label, violations),
            root_id=self.root,
            schedule=self.schedule,
            id_prefix=self.id,
            page_size=_size(self.size, violations),
        )
        if self.since:
            if self.since not in PERIODS:
                violations.add("since", f"{self.since} is none of {', '.join(PERIODS)}")
            else:
                request.create_time_from.FromDatetime(now - PERIODS[self.since][1])
        _set_time(request.create_time_from, self.from_, "from", violations)
        _set_time(request.create_time_before, self.before, "before", violations)
        violations.raise_if_any()
        return request


class TasksPage:
    """The page."""

    async def page(self, visit: Visit) -> Response:
        """The tasks that fit, the newest first."""
        filters = Filters.of(visit.request.query_params)
        answer, refusal, older = task_service_pb2.ListResponse(), None, ""
        try:
            request = filters.request(datetime.now(UTC))
            request.page_token = visit.query.get("page", "")
            answer = await visit.calls.tasks(request)
            older = _older(filters, request, answer.next_page_token)
        except RequestError as exc:
            refusal = refusal_of(exc, "/tasks")
        types = (await visit.calls.task_types()).task_types
        return visit.page(
            "tasks.html",
            refusal.status if refusal else 200,
            filters=filters,
            tasks=answer.tasks,
            older=older,
            is_first=not visit.query.get("page"),
            refusal=refusal,
            states=STATES,
            periods=PERIODS,
            sizes=SIZES,
            types=types,
            may_abort=visit.calls.may("AbortTasks"),
            may_retry=visit.calls.may("RetryTasks"),
            queues=sorted({one.queue for one in types if one.queue}),
        )


def _older(filters: Filters, request: task_service_pb2.ListRequest, token: str) -> str:
    """The query of the next page: a token is bound to its filters, so `since` must stand still."""
    if not token:
        return ""
    if not filters.since:
        return filters.query(page=token)
    began = request.create_time_from.ToDatetime(UTC).isoformat()
    return filters.query(page=token, since="", **{"from": began})


def _state(name: str, violations: Violations) -> task_pb2.TaskState.ValueType:
    if name not in STATES:
        violations.add("state", f"{name!r} is none of {', '.join(STATES)}")
        return task_pb2.TASK_STATE_UNSPECIFIED
    return task_pb2.TaskState.Value(f"TASK_STATE_{name}")


def read_labels(text: str, violations: Violations) -> dict[str, str]:
    """Labels as ``key=value, other=value``."""
    labels: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        key, found, value = part.partition("=")
        if not found:
            violations.add("label", f"{part!r} is no key=value")
        labels[key] = value
    return labels


def _size(text: str, violations: Violations) -> int:
    if text and text not in map(str, SIZES):
        violations.add("size", f"{text!r} is none of {', '.join(map(str, SIZES))}")
        return 0
    return int(text or SIZES[0])


def _set_time(message: Timestamp, text: str, field: str, violations: Violations) -> None:
    if not text:
        return
    try:
        time = datetime.fromisoformat(text)
        message.FromDatetime(time.replace(tzinfo=time.tzinfo or UTC))
    except (ValueError, OverflowError):
        violations.add(field, f"{text!r} is no time such as 2026-11-30T09:00")


def invalid(field: str, description: str) -> InvalidRequest:
    """A refusal of one field."""
    return InvalidRequest([Violation(field, description)])
