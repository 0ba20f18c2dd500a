"""List: which tasks a request asks for, and the pages of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection

from taskgate.server.api.errors import Flaw, InvalidRequest, Violation
from taskgate.server.api.page_tokens import PageTokens, page_size
from taskgate.server.messages.conversion import basic_task_message, task_message
from taskgate.server.requests import checks, times
from taskgate.server.requests.violations import Violations
from taskgate.store import listing
from taskgate.store.lifecycle import State
from taskgate.v1 import task_pb2, task_service_pb2

DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000
MOST_VALUES = 100
"""In one filter: each costs a search of its own."""

_STATES = {
    task_pb2.TaskState.Value(f"TASK_STATE_{state}"): state for state in State
}  # by their numbers


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a list."""

    wanted: listing.Filter
    after: listing.Position | None
    limit: int
    is_full: bool
    tokens: PageTokens

    def answer(self, tx: Connection) -> task_service_pb2.ListResponse:
        """The page."""
        read, message = _READERS[self.is_full]
        page = read(tx, self.wanted, self.after, self.limit)
        return task_service_pb2.ListResponse(
            tasks=[message(task) for task in page.tasks],
            next_page_token="" if page.next is None else self._token(page.next),
        )

    def _token(self, position: listing.Position) -> str:
        return self.tokens.write([position.created_at.isoformat(), position.id])


_READERS = {
    False: (listing.basic_page, basic_task_message),
    True: (listing.page, task_message),
}
"""How a page is read and written; in full, or not."""


def query(request: task_service_pb2.ListRequest) -> Query:
    """The page that a request asks for.

    Raises:
        InvalidRequest: fields are wrong.
    """
    wanted = _filter(request)
    tokens = PageTokens.of("List", _fingerprint(request))
    position = tokens.read(request.page_token, length=2)
    return Query(
        wanted=wanted,
        after=None if position is None else _position(*position),
        limit=page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE),
        is_full=checks.view(request.view) == task_service_pb2.TASK_VIEW_FULL,
        tokens=tokens,
    )


def _filter(request: task_service_pb2.ListRequest) -> listing.Filter:
    violations = Violations()
    wanted = listing.Filter(
        states=_states(request, violations),
        task_types=_names(request.task_types, "task_types", violations),
        queues=_names(request.queues, "queues", violations),
        labels=checks.labels(request.labels, violations),
        created_from=_time(request, "create_time_from", violations),
        created_before=_time(request, "create_time_before", violations),
        root_id=checks.task_id(request.root_id, "root_id") if request.root_id else None,
    )
    violations.raise_if_any()
    return wanted


def _states(request: task_service_pb2.ListRequest, violations: Violations) -> frozenset[State]:
    for index, number in enumerate(request.states):
        if number not in _STATES:
            violations.add(f"states[{index}]", f"{number} is no state")
    return frozenset(_STATES[number] for number in request.states if number in _STATES)


def _names(names: Sequence[str], field: str, violations: Violations) -> frozenset[str]:
    if len(names) > MOST_VALUES:
        violations.add(field, f"{len(names)} are too many; {MOST_VALUES} are allowed")
    for index, name in enumerate(names):
        checks.text(name, f"{field}[{index}]", checks.LONGEST_NAME, violations)
    return frozenset(names)


def _time(
    request: task_service_pb2.ListRequest,
    field: Literal["create_time_from", "create_time_before"],
    violations: Violations,
) -> datetime | None:
    if not request.HasField(field):
        return None
    return times.timestamp(getattr(request, field), field, violations)


def _fingerprint(request: task_service_pb2.ListRequest) -> list[object]:
    """What must stay the same from page to page."""
    return [
        sorted(request.states),
        sorted(request.task_types),
        sorted(request.queues),
        dict(request.labels),
        request.create_time_from.ToNanoseconds(),
        request.create_time_before.ToNanoseconds(),
        request.root_id.lower(),
    ]


def _position(created_at: str, task_id: str) -> listing.Position:
    try:
        return listing.Position(datetime.fromisoformat(created_at).astimezone(UTC), task_id)
    except (ValueError, OverflowError) as exc:
        flaw = Flaw.PAGE_TOKEN_INVALID
        violation = Violation("page_token", "it is not a next_page_token", flaw)
        raise InvalidRequest([violation]) from exc
