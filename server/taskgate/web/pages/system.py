"""What it all runs on: workers, settings, and what doctor finds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import Response

from taskgate.server.callers import Role
from taskgate.server.settings import ServerSettings
from taskgate.store.database.urls import hide_passwords
from taskgate.v1 import task_service_pb2
from taskgate.web.visit import Visit

FRESH_SECONDS = 30.0
WAIT_SECONDS = 4.0
"""Whoever looks meanwhile is shown the rest of the page."""

WORKERS = 200


class Finding(Protocol):
    """What ``taskgate doctor`` says of one thing."""

    @property
    def level(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def way_out(self) -> str: ...


Examine = Callable[[], Sequence[tuple[str, Finding]]]
"""Looks at every part, which can take a while; what it found, with each one's subject."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as the server has it."""

    name: str
    value: str
    is_default: bool


class SystemPages:
    """The pages."""

    def __init__(self, settings: ServerSettings, examine: Examine) -> None:
        self._settings = settings
        self._examine = examine
        self._found: asyncio.Task[Sequence[tuple[str, Finding]]] | None = None
        self._found_at = float("-inf")

    async def workers(self, visit: Visit) -> Response:
        """The workers, the living ones first."""
        alive_only = visit.query.get("all") != "1"
        request = task_service_pb2.ListWorkersRequest(page_size=WORKERS, alive_only=alive_only)
        request.page_token = visit.query.get("page", "")
        answer = await visit.calls.workers(request)
        return visit.page(
            "workers.html",
            workers=answer.workers,
            alive_only=alive_only,
            older=answer.next_page_token,
        )

    async def page(self, visit: Visit) -> Response:
        """Settings and findings, for those who run the server."""
        visit.caller.check_role(Role.ADMIN, "the system page")
        return visit.page(
            "system.html", settings=shown(self._settings), findings=await self._findings()
        )

    async def _findings(self) -> Sequence[tuple[str, Finding]] | None:
        """What was found lately; None while it is still being looked at."""
        is_old = time.monotonic() - self._found_at > FRESH_SECONDS
        if self._found is None or (self._found.done() and is_old):
            self._found = asyncio.create_task(asyncio.to_thread(self._examine))
            self._found_at = time.monotonic()
        await asyncio.wait([self._found], timeout=WAIT_SECONDS)
        return self._found.result() if self._found.done() else None


def shown(settings: ServerSettings) -> list[Setting]:
    """The settings, without what is secret in them."""
    return [
        Setting(
            name.upper(),
            _text(getattr(settings, name)),
            name not in settings.model_fields_set,
        )
        for name in type(settings).model_fields
    ]


def _text(value: Any) -> str:
    match value:
        case None | () | "" | {}:
            return ""
        case dict():  # what a broker's options hold may be a password
            return ", ".join(value)
        case tuple():
            return ", ".join(map(str, value))
        case str() if "://" in value:
            return hide_passwords(value)
    return str(value)
