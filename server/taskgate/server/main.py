"""Serving until a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from functools import partial

from taskgate.server.api.interceptor import VERSION
from taskgate.server.server import MakeDashboard, TaskgateServer
from taskgate.server.settings import ServerSettings

logger = logging.getLogger(__name__)


class PartEnded(Exception):
    """A part of the server has ended by itself."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"the server's {', '.join(names)} has ended: it must be restarted")


def serve(
    settings: ServerSettings,
    *,
    ready: Callable[[str, str], None] | None = None,
    shares_port: bool = False,
    make_dashboard: MakeDashboard | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way and return.

    Call it in the main thread. ``ready`` is called with the address, and the
    dashboard's URL or nothing, once the server serves.

    ``shares_port``: other processes listen on the same port. Then a health check does not always
    reach the process that it should, so one that is not whole ends.

    Raises:
        PartEnded: the port is shared, and a part of the server has ended by itself.
        TokensFileError: the tokens file is wrong.
        SchemaOutdated: the database is not a record, or not this version's.
        StoreUnavailable: the database does not answer.
        CredentialsError: a certificate or key cannot be read.
        AddressUnavailable: the address cannot be listened on.
    """
    server = partial(
        TaskgateServer, settings, shares_port=shares_port, make_dashboard=make_dashboard
    )
    asyncio.run(_serve(server, settings, ready, shares_port=shares_port))


def _guards(settings: ServerSettings) -> str:
    tls = "TLS" if settings.taskgate_tls_cert else "no TLS"
    if settings.taskgate_tokens_file:
        return f"{tls}, callers have tokens"
    return f"{tls}, " + ("callers have certificates" if settings.taskgate_tls_client_ca else "open")


async def _serve(
    make_server: Callable[[], TaskgateServer],
    settings: ServerSettings,
    ready: Callable[[str, str], None] | None,
    *,
    shares_port: bool,
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = make_server()
    if shares_port:
        server.health.when_not_whole(stopping.set)
    address = await server.start()
    logger.info("taskgate %s serves on %s, %s", VERSION, address, _guards(settings))
    if server.dashboard_url:
        logger.info("the dashboard is at %s", server.dashboard_url)
    if ready is not None:
        ready(address, server.dashboard_url)
    await stopping.wait()
    logger.info("shutting down")
    await server.stop()
    logger.info("stopped")
    if shares_port and server.health.ended_parts:
        raise PartEnded(server.health.ended_parts)
