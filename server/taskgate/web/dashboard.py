"""The dashboard as a part of the server: its own HTTP port, started and stopped with it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from taskgate.server import addresses
from taskgate.server.addresses import Address, AddressUnavailable
from taskgate.server.api.authentication import Tokens
from taskgate.server.api.service import TaskService
from taskgate.server.settings import ANY_PORT, ServerSettings
from taskgate.web.pages.overview import OverviewPages
from taskgate.web.pages.system import Examine
from taskgate.web.site import Site

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 1_000
STOP_SECONDS = 5
"""For answers that are under way when the server stops."""


class _Http(uvicorn.Server):
    """Uvicorn within an event loop and a process that are the server's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the server's, which stops this part in its turn."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


USUAL_ADDRESS = "127.0.0.1:50080"
OTHER_ADDRESS = "127.0.0.1:0"


class Dashboard:
    """Serves the pages. Nothing is opened before it starts."""

    def __init__(
        self,
        service: TaskService,
        settings: ServerSettings,
        tokens: Tokens | None,
        *,
        examine: Examine,
    ) -> None:
        """``examine``: what the page of the system calls to look at every part."""
        self._settings = settings
        self._site = Site.of(service, settings, tokens, examine)
        self._overview = OverviewPages(service, self._site.streams)
        self._http: _Http | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Begin to serve; the URL.

        Raises:
            AddressUnavailable: the address cannot be listened on.
        """
        address, listener = _listen(self._settings.taskgate_web_address)
        port = listener.getsockname()[1]
        # Browsers send a host's cookies to all of its ports.
        app = self._site.app(self._overview, cookie=f"taskgate-{port}")
        self._http = http = _Http(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=STOP_SECONDS,
                ssl_certfile=self._settings.taskgate_tls_cert,
                ssl_keyfile=self._settings.taskgate_tls_key,
            )
        )
        self._serving = asyncio.create_task(http.serve([listener]), name="taskgate-web")
        ready = asyncio.create_task(http.is_ready.wait())
        await asyncio.wait([ready, self._serving], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        self._overview.start()
        scheme = "http" if self._settings.taskgate_tls_cert is None else "https"
        return f"{scheme}://{address.with_port(port)}/"

    @property
    def is_broken(self) -> bool:
        """It has ended, though nobody closed it."""
        is_stopping = self._http is None or self._http.should_exit
        return not is_stopping and self._serving is not None and self._serving.done()

    def refuse(self) -> None:
        """Take no more requests, and end what is streamed."""
        self._site.streams.close()
        if self._http is not None:
            self._http.should_exit = True

    async def stop(self) -> None:
        """End, once what is under way was answered."""
        self.refuse()
        await self._overview.close()
        if self._serving is not None:
            await asyncio.wait([self._serving])


def _listen(text: str) -> tuple[Address, socket.socket]:
    if text != ANY_PORT:
        return _listen_on(addresses.parse(text))
    try:
        return _listen_on(addresses.parse(USUAL_ADDRESS))
    except AddressUnavailable:
        return _listen_on(addresses.parse(OTHER_ADDRESS))


def _listen_on(address: Address) -> tuple[Address, socket.socket]:
    listener: socket.socket | None = None
    try:
        family, _, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen()  # until then another program may bind to it, too
    except OSError as exc:
        if listener is not None:
            listener.close()
        why = addresses.why_not_free(address) or exc.strerror or str(exc)
        raise AddressUnavailable(f"cannot listen on {address}, for the dashboard: {why}") from exc
    return address, listener
