"""Server-sent events: how pages stay up to date. There are so many streams at once, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.responses import Response, StreamingResponse
from starlette.types import Send

MAX_STREAMS = 200
"""Each holds a connection open, and costs a little at each change."""

HEARTBEAT_SECONDS = 15.0
"""Proxies end connections on which nothing comes."""

END = "event: end\ndata: \n\n"
"""Nothing more will come; the page need not ask again."""


def swap(html: str) -> str:
    """The event that puts HTML into the page."""
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


class Streams:
    """The streams that are open, until the server goes."""

    def __init__(self, limit: int = MAX_STREAMS) -> None:
        self._limit = limit
        self._open = 0
        self._closing = asyncio.Event()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    def close(self) -> None:
        """End them all."""
        self._closing.set()

    def answer(self, events: AsyncGenerator[str]) -> Response:
        """Stream the events; 503 if there are too many streams, and the page stays as it is."""
        if self._open >= self._limit or self._closing.is_set():
            return Response(status_code=503, headers={"Retry-After": "10"})
        return _EventStream(self._until_closed(events))

    async def rest(self, seconds: float) -> bool:
        """Wait so long; whether the streams go on."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return True
        return False

    async def _until_closed(self, events: AsyncGenerator[str]) -> AsyncGenerator[str]:
        """The events, and now and then a word that nothing is lost, until one end closes."""
        closing = asyncio.create_task(self._closing.wait())
        following = asyncio.create_task(_next(events))
        self._open += 1
        try:
            while True:
                waiting = {closing, following}
                done, _ = await asyncio.wait(
                    waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if following in done:
                    event = following.result()
                    if not event:
                        return
                    yield event
                    following = asyncio.create_task(_next(events))
                elif closing in done:
                    return
                else:
                    yield ": \n\n"
        finally:
            self._open -= 1
            closing.cancel()
            following.cancel()
            await asyncio.wait({closing, following})
            await events.aclose()


class _EventStream(StreamingResponse):
    """Its generator ends when the viewer goes, whatever it waits for."""

    def __init__(self, events: AsyncGenerator[str]) -> None:
        # Nginx would keep events back until it has enough of them.
        super().__init__(
            events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )
        self._events = events

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)


async def _next(events: AsyncIterator[str]) -> str:
    """The next event; empty after the last one."""
    return await anext(events, "")
