"""ListEvents: what happened, from any point on, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection

from taskgate.server.api.lists import PageTokens, page_size, refuse_token
from taskgate.server.api.polling import LongPolls
from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, Violation, Violations
from taskgate.server.messages.events import event_message
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.store import events
from taskgate.store.event import BEGINNING, Event, Kind, Position
from taskgate.store.events import Page
from taskgate.v1 import events_pb2

DEFAULT_PAGE_SIZE = 100

_KINDS: Mapping[int, Kind] = {
    events_pb2.EventKind.Value(f"EVENT_KIND_{kind}"): kind for kind in Kind
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a request asks for."""

    task_id: str
    after: Position
    size: int
    kinds: tuple[Kind, ...]
    tokens: PageTokens

    def cursor(self, position: Position) -> str:
        """The text that stands for a position."""
        time, *rest = position
        return self.tokens.write([time.isoformat(), *map(str, rest)])


@dataclass(frozen=True, slots=True)
class Events:
    """Lists events, and waits for the next ones."""

    records: Records
    polls: LongPolls

    async def list(
        self,
        request: events_pb2.ListEventsRequest,
        caller: Caller,
        time_remaining: float | None,
    ) -> events_pb2.ListEventsResponse:
        """A page of the events that the caller sees, the oldest first.

        ``time_remaining``: seconds until the call's deadline; None if it has none.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: nothing is known of the task.
            StoreUnavailable: the database does not answer.
        """
        wanted = await self._wanted(request, caller)
        violations = Violations()
        wait = fields.duration(request.wait, "wait", violations)
        violations.raise_if_any()
        seconds = fields.seconds_to_wait(wait, self.polls.longest, time_remaining)

        async def look() -> tuple[events_pb2.ListEventsResponse, bool]:
            answer = _answer(wanted, await self._page(wanted), caller)
            return answer, bool(answer.events) or answer.has_more

        return await self.polls.until_news(look, seconds)

    async def _wanted(self, request: events_pb2.ListEventsRequest, caller: Caller) -> Wanted:
        kinds = _kinds(request.kinds)
        task_id = request.task_id
        if task_id:
            task_id = await self.records.resolve_id(fields.task_id(task_id, "task_id"))
            task_type, queue = await self.records.read(lambda tx: events.kind_of(tx, task_id))
            caller.check_sees(task_id, task_type, queue)
        tokens = PageTokens.of("ListEvents", [task_id, kinds])
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        return Wanted(task_id, _position(request, tokens), size, kinds, tokens)

    async def _page(self, wanted: Wanted) -> Page:
        until = await self.records.write(events.horizon)
        if wanted.task_id:
            read = partial(events.of_task, task_id=wanted.task_id)
        else:
            read = partial(events.following)

        def page(tx: Connection) -> Page:
            return read(tx, after=wanted.after, until=until, limit=wanted.size, kinds=wanted.kinds)

        return await self.records.read(page)


def _answer(wanted: Wanted, page: Page, caller: Caller) -> events_pb2.ListEventsResponse:
    last = page.events[-1].position if page.events else wanted.after
    return events_pb2.ListEventsResponse(
        events=[
            event_message(event, wanted.cursor(event.position))
            for event in page.events
            if _sees(caller, event)
        ],
        cursor=wanted.cursor(last),
        has_more=page.has_more,
    )


def _sees(caller: Caller, event: Event) -> bool:
    """What concerns no task has only one of the two: Pause, for instance."""
    sees_type = not event.task_type or caller.sees_type(event.task_type)
    return sees_type and (not event.queue or caller.sees_queue(event.queue))


def _kinds(numbers: Sequence[int]) -> tuple[Kind, ...]:
    violations = Violations()
    for index, number in enumerate(numbers):
        if number not in _KINDS:
            violations.add(f"kinds[{index}]", f"{number} is no kind of event")
    violations.raise_if_any()
    return tuple(sorted({_KINDS[number] for number in numbers}))


def _position(request: events_pb2.ListEventsRequest, tokens: PageTokens) -> Position:
    place = tokens.read(request.after, length=4, field="after")
    if place is not None:
        return _read_place(request, place)
    if not request.HasField("time_from"):
        return BEGINNING
    violations = Violations()
    time = fields.timestamp(request.time_from, "time_from", violations)
    violations.raise_if_any()
    return Position.before(time)


def _read_place(request: events_pb2.ListEventsRequest, place: Sequence[str]) -> Position:
    if request.HasField("time_from"):
        raise InvalidRequest([Violation("time_from", "give after or time_from, not both")])
    time, task_id, rank, number = place
    try:
        return Position(datetime.fromisoformat(time).astimezone(UTC), task_id, int(rank), number)
    except (ValueError, OverflowError):
        refuse_token("it is no event's cursor", "after")
