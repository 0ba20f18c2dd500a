"""List, ListTaskTypes and ListWorkers: which page a request asks for, and the page."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Never, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection

from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, Violation, ViolationReason
from taskgate.server.messages.tasks import basic_task_message, task_message
from taskgate.server.messages.workers import task_type_message, worker_message
from taskgate.server.records import Records
from taskgate.server.requests import fields, filters
from taskgate.server.requests.filters import MAX_VALUES
from taskgate.store import listing, pauses, queries, task_types, workers
from taskgate.store.pauses import Kind, Target
from taskgate.store.workers import Worker
from taskgate.v1 import task_service_pb2

M = TypeVar("M", bound=Message)

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
MAX_PAGE_BYTES = 3_900_000
"""Most clients take answers of 4 MiB."""

FRAME_BYTES = 8
"""Around each message in a page, at most."""

_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists tasks, task types and workers."""

    records: Records

    async def tasks(
        self, request: task_service_pb2.ListRequest, caller: Caller
    ) -> task_service_pb2.ListResponse:
        """A page of the tasks that fit the filters and that the caller sees, the newest first.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        wanted = filters.read(request)
        if wanted.root_ids:
            found = await self.records.resolve_ids([*wanted.root_ids])
            wanted = replace(wanted, root_ids=frozenset(found.values()))
        if request.id_prefix:
            found_ids = await self._ids_beginning_with(request.id_prefix)
            if not found_ids:
                return task_service_pb2.ListResponse()
            wanted = replace(wanted, ids=found_ids)
        if not caller.sees_all:
            seen = await self.records.read(lambda tx: filters.seen(tx, wanted, caller))
            if seen is None:
                return task_service_pb2.ListResponse()
            wanted = seen
        tokens = PageTokens.of("List", _fingerprint(request))
        after = _task_position(tokens.read(request.page_token, length=2))
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        is_full = fields.view(request.view) == task_service_pb2.TASK_VIEW_FULL
        read = listing.page if is_full else listing.basic_page
        message = task_message if is_full else basic_task_message

        def answer(tx: Connection) -> task_service_pb2.ListResponse:
            page = read(tx, wanted, after, size)
            shown = list(fitting(map(message, page.tasks)))
            position = page.next
            if len(shown) < len(page.tasks):
                last = page.tasks[len(shown) - 1]
                position = listing.Position(last.created_at, last.id)
            token = ""
            if position is not None:
                token = tokens.write([position.created_at.isoformat(), position.id])
            return task_service_pb2.ListResponse(tasks=shown, next_page_token=token)

        return await self.records.read(answer)

    async def _ids_beginning_with(self, prefix: str) -> frozenset[str]:
        fields.task_id(prefix, "id_prefix")
        # As with whole ids: a UUID may be given in capitals.
        spellings = {prefix, prefix.lower()}

        def read(tx: Connection) -> frozenset[str]:
            found = (queries.ids_beginning_with(tx, s, MAX_VALUES) for s in spellings)
            return frozenset(itertools.chain.from_iterable(found))

        return await self.records.read(read)

    async def task_types(
        self, request: task_service_pb2.ListTaskTypesRequest, caller: Caller
    ) -> task_service_pb2.ListTaskTypesResponse:
        """A page of the task types, by name.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListTaskTypes")
        size = page_size(request.page_size, MAX_PAGE_SIZE)
        after = tokens.read(request.page_token, length=1)

        def answer(tx: Connection) -> task_service_pb2.ListTaskTypesResponse:
            types = sorted(task_types.by_name(tx).items())
            rest = [
                known
                for name, known in types
                if (after is None or [name] > after) and caller.sees_type(name)
            ]
            paused = {one.target: one for one in pauses.list_all(tx)}
            messages = (
                task_type_message(one, paused.get(Target(Kind.TASK_TYPE, one.name)))
                for one in rest[:size]
            )
            shown = list(fitting(messages))
            has_more = len(rest) > len(shown)
            return task_service_pb2.ListTaskTypesResponse(
                task_types=shown,
                next_page_token=tokens.write([rest[len(shown) - 1].name]) if has_more else "",
            )

        return await self.records.read(answer)

    async def workers(
        self, request: task_service_pb2.ListWorkersRequest, caller: Caller
    ) -> task_service_pb2.ListWorkersResponse:
        """A page of the workers that take tasks from queues the caller sees, the newest first.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListWorkers", request.alive_only)
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = tokens.read(request.page_token, length=2)

        def answer(tx: Connection) -> task_service_pb2.ListWorkersResponse:
            rest = [
                worker
                for worker in sorted(workers.list_all(tx), key=_worker_position, reverse=True)
                if (worker.is_alive or not request.alive_only)
                and caller.sees_worker(worker)
                and (after is None or _worker_position(worker) < after)
            ]
            active = workers.active_counts(tx)
            messages = (worker_message(one, active.get(one.id, 0)) for one in rest[:size])
            shown = list(fitting(messages))
            token = ""
            if len(rest) > len(shown):
                token = tokens.write(_worker_position(rest[len(shown) - 1]))
            return task_service_pb2.ListWorkersResponse(workers=shown, next_page_token=token)

        return await self.records.read(answer)


@dataclass(frozen=True, slots=True)
class PageTokens:
    """The page tokens of one list: a position, bound to the call and its filters."""

    scope: str
    """A digest of what the list is of."""

    @classmethod
    def of(cls, call: str, filters: Any = None) -> PageTokens:
        """The tokens of a call's list. ``filters``: JSON, the same for every page."""
        text = json.dumps([call, filters], sort_keys=True)
        return cls(hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS])

    def write(self, position: Sequence[str]) -> str:
        """The token that asks for what comes after the position."""
        text = json.dumps([self.scope, *position], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def read(self, token: str, length: int, field: str = "page_token") -> list[str] | None:
        """The position, of so many texts, that the token stands for; None for the first page.

        Raises:
            InvalidRequest: it is not a token of this list.
        """
        if not token:
            return None
        try:
            read: list[Any] = json.loads(base64.urlsafe_b64decode(token.encode()))
            scope, *position = read
        except (ValueError, TypeError, RecursionError):
            refuse_token("it is none that a list answered", field)
        if scope != self.scope:
            refuse_token("it is of a list with other filters; begin that list anew", field)
        if len(position) != length or not all(isinstance(part, str) for part in position):
            refuse_token("it is none that a list answered", field)
        return position


def fitting(messages: Iterable[M]) -> Iterator[M]:
    """The first message, and as many more as a page may hold."""
    room = MAX_PAGE_BYTES
    for number, message in enumerate(messages):
        room -= message.ByteSize() + FRAME_BYTES
        if room < 0 and number:
            return
        yield message


def page_size(asked: int, default: int) -> int:
    """How many items to answer.

    Raises:
        InvalidRequest: fewer than none were asked for.
    """
    if asked < 0:
        raise InvalidRequest([Violation("page_size", f"{asked} is negative")])
    return min(asked or default, MAX_PAGE_SIZE)


def refuse_token(description: str, field: str = "page_token") -> Never:
    """Refuse what is no position of the list.

    Raises:
        InvalidRequest: always.
    """
    violation = Violation(field, description, ViolationReason.PAGE_TOKEN_INVALID)
    raise InvalidRequest([violation])


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
        request.id_prefix.lower(),
        *([request.schedule] if request.schedule else []),
    ]


def _task_position(parts: Sequence[str] | None) -> listing.Position | None:
    if parts is None:
        return None
    created_at, task_id = parts
    try:
        return listing.Position(datetime.fromisoformat(created_at).astimezone(UTC), task_id)
    except (ValueError, OverflowError):
        refuse_token("it is none that a list answered")


def _worker_position(worker: Worker) -> list[str]:
    return [worker.started_at.isoformat(timespec="microseconds"), worker.id]
