"""What both clients are made of: a server's address, credentials, deadlines."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from taskgate.client.calls import Caller
from taskgate.client.channel import endpoint
from taskgate.client.transport import AsyncTransport, BlockingTransport


class Connection:
    """A connection to a taskgate server.

    A call that finds the server away is repeated until its time is over, and is safe to be repeated
    by you too.
    """

    _transport_type: ClassVar[type[BlockingTransport | AsyncTransport]]

    def __init__(  # noqa: PLR0913 - as many as a connection has options
        self,
        target: str,
        *,
        token: str | None = None,
        plain_text_token: bool = False,
        tls: bool = False,
        tls_ca: str | Path | None = None,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        timeout: float = 30.0,
        retry_timeout: float | None = None,
    ) -> None:
        """Connect to ``host:port``; the first call notices if nobody is there.

        Args:
            target: the server's address, ``host:port``.
            token: the bearer token, for servers that want one. It needs TLS.
            plain_text_token: send the token without TLS too, readable to everyone on the way.
            tls: use TLS and trust the system's authorities; implied by the other TLS options.
            tls_ca: use TLS and trust the authorities in this PEM file.
            tls_cert: the client's certificate (PEM), for servers that want one.
            tls_key: its key (PEM).
            timeout: how long a call may take, in seconds, repetitions included. The default
                outlasts a server that drains for 20 s and starts again.
            retry_timeout: how long a call is repeated while nobody answers, in seconds; until its
                timeout if None.

        Raises:
            OSError: a TLS file cannot be read.
            ValueError: the token cannot be sent, or has no TLS and is not ``plain_text_token``.
        """
        self.target = target
        where = endpoint(
            target,
            token=token,
            plain_text_token=plain_text_token,
            tls=tls,
            tls_ca=tls_ca,
            tls_cert=tls_cert,
            tls_key=tls_key,
        )
        self._caller = Caller(self._transport_type(where), timeout, retry_timeout)

    @property
    def server_version(self) -> str:
        """The version of the server that answered last; empty before a first answer."""
        return self._caller.transport.server_version

    @classmethod
    def _over(cls, other: Connection) -> Self:
        """Another client of the same connection."""
        client = cls.__new__(cls)
        client.target = other.target
        client._caller = other._caller  # noqa: SLF001 - of this class
        return client
