"""Pause, Resume and ListPauses."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from sqlalchemy import Connection

from taskgate.server.api.lists import DEFAULT_PAGE_SIZE, PageTokens, page_size
from taskgate.server.callers import Caller
from taskgate.server.errors import (
    QueueNotAllowed,
    TaskTypeNotAllowed,
    ViolationReason,
    Violations,
)
from taskgate.server.messages.pauses import pause_message
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.server.requests.catalog import Catalog
from taskgate.server.text import fit, nearest, quote
from taskgate.store import events, pauses
from taskgate.store.pauses import Kind, Pause, Target
from taskgate.v1 import pauses_pb2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses queues and task types."""

    records: Records
    catalog: Catalog

    async def pause(
        self, request: pauses_pb2.PauseRequest, caller: Caller
    ) -> pauses_pb2.PauseResponse:
        """Have nothing new of the target start.

        Raises:
            InvalidRequest: fields are wrong, or there is no such queue or task type.
            PermissionDenied: the caller may not name it.
            StoreUnavailable: the database does not answer.
        """
        violations = Violations()
        target = _target(request, violations)
        reason = fields.text(request.reason, "reason", fields.MAX_REASON_LENGTH, violations)
        violations.raise_if_any()
        _check_may_name(target, caller)
        await self._check_known(target)

        def apply(tx: Connection) -> Pause:
            _record(tx, "Pause", target, caller, reason)
            return pauses.pause(tx, target, by=caller.name, reason=reason)

        paused = await self.records.write(apply)
        logger.info("%s %s is paused by %r: %s", *target, caller.name, fit(reason, 200))
        return pauses_pb2.PauseResponse(pause=pause_message(paused))

    async def resume(
        self, request: pauses_pb2.ResumeRequest, caller: Caller
    ) -> pauses_pb2.ResumeResponse:
        """End a pause.

        Raises:
            InvalidRequest: fields are wrong.
            PermissionDenied: the caller may not name it.
            StoreUnavailable: the database does not answer.
        """
        violations = Violations()
        target = _target(request, violations)
        violations.raise_if_any()
        _check_may_name(target, caller)

        def apply(tx: Connection) -> bool:
            _record(tx, "Resume", target, caller)
            return pauses.resume(tx, target)

        was_paused = await self.records.write(apply)
        if was_paused:
            logger.info("%s %s is resumed by %r", *target, caller.name)
        return pauses_pb2.ResumeResponse(was_paused=was_paused)

    async def list(
        self, request: pauses_pb2.ListPausesRequest, caller: Caller
    ) -> pauses_pb2.ListPausesResponse:
        """A page of the pauses of what the caller sees, by kind and name.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListPauses")
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = tokens.read(request.page_token, length=1)
        found = sorted(await self.records.read(pauses.list_all), key=lambda one: one.target.key)
        rest = [
            one
            for one in found
            if (after is None or [one.target.key] > after) and _sees(caller, one.target)
        ]
        shown = rest[:size]
        has_more = len(rest) > len(shown)
        return pauses_pb2.ListPausesResponse(
            pauses=map(pause_message, shown),
            next_page_token=tokens.write([shown[-1].target.key]) if has_more else "",
        )

    async def _check_known(self, target: Target) -> None:
        """A name that nobody knows is a slip of the pen."""
        known = await self.catalog.read_since(time.monotonic())
        violations = Violations()
        if target.kind is Kind.QUEUE:
            fields.queue(target.name, known.queues, violations)
        elif target.name not in known.types:
            hint = nearest(target.name, known.types)
            problem = f"no worker registered a task type {quote(target.name)}{hint}"
            violations.add("task_type", problem, ViolationReason.TASK_TYPE_UNKNOWN)
        violations.raise_if_any()


def _record(tx: Connection, call: str, target: Target, caller: Caller, detail: str = "") -> None:
    is_queue = target.kind is Kind.QUEUE
    task_type, queue = ("", target.name) if is_queue else (target.name, "")
    events.record(tx, events.Call("", task_type, queue, call, caller.name, caller.peer, detail))


def _sees(caller: Caller, target: Target) -> bool:
    is_queue = target.kind is Kind.QUEUE
    return caller.sees_queue(target.name) if is_queue else caller.sees_type(target.name)


def _check_may_name(target: Target, caller: Caller) -> None:
    if _sees(caller, target):
        return
    if target.kind is Kind.QUEUE:
        raise QueueNotAllowed(caller.name, target.name, str(caller.queues))
    raise TaskTypeNotAllowed(caller.name, target.name, str(caller.task_types))


def _target(
    request: pauses_pb2.PauseRequest | pauses_pb2.ResumeRequest, violations: Violations
) -> Target:
    match request.WhichOneof("target"):
        case "queue":
            field, target = "queue", Target(Kind.QUEUE, request.queue)
        case "task_type":
            field, target = "task_type", Target(Kind.TASK_TYPE, request.task_type)
        case _:
            violations.add("target", "it is not set; give a queue or a task_type")
            return Target(Kind.QUEUE, "")
    if not target.name:
        violations.add(field, "it is empty; name what is meant")
    fields.text(target.name, field, fields.MAX_NAME_LENGTH, violations)
    return target
