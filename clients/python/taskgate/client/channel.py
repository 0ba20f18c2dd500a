"""The connection to a server: TLS, token, keepalive."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from taskgate.client.version import VERSION

_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.primary_user_agent", f"taskgate-python/{VERSION}"),
    # A server that vanished without a word is noticed while a call waits for it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again within a second or two.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Results may be large, and the server was chosen by the caller.
    ("grpc.max_receive_message_length", -1),
)

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and how to reach it."""

    target: str
    credentials: grpc.ChannelCredentials | None
    """None: plain text."""
    metadata: Metadata
    """Goes with each call."""

    def channel(self) -> grpc.Channel:
        """A channel for threads; it connects with the first call."""
        if self.credentials is None:
            return grpc.insecure_channel(self.target, options=_options(self.target))
        return grpc.secure_channel(self.target, self.credentials, options=_options(self.target))

    def aio_channel(self) -> grpc.aio.Channel:
        """A channel for the running event loop; it connects with the first call."""
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, options=_options(self.target))
        return grpc.aio.secure_channel(self.target, self.credentials, options=_options(self.target))


def _options(target: str) -> tuple[tuple[str, str | int], ...]:
    # Without it gRPC sends even 127.0.0.1 through http_proxy, which cannot reach this machine.
    return (*_OPTIONS, ("grpc.enable_http_proxy", 0)) if _is_loopback(target) else _OPTIONS


def _is_loopback(target: str) -> bool:
    address = target.rpartition("/")[2].removeprefix("ipv4:").removeprefix("ipv6:")
    try:
        host = urlsplit(f"//{address}").hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name, or nothing that gRPC can read
        return False


def endpoint(
    target: str,
    *,
    token: str | None = None,
    plain_text_token: bool = False,
    tls: bool = False,
    tls_ca: str | Path | None = None,
    tls_cert: str | Path | None = None,
    tls_key: str | Path | None = None,
) -> Endpoint:
    """What ``Client`` is given, read and checked.

    Raises:
        OSError: a TLS file cannot be read.
        ValueError: the token cannot be sent, or only readable to everyone on the way.
    """
    if token and not (token.isascii() and token.isprintable()):
        raise ValueError("the token is not a line of printable ASCII")
    credentials = None
    has_tls = bool(tls or tls_ca or tls_cert or tls_key)
    if token and not has_tls and not plain_text_token:
        raise ValueError("a token needs tls or tls_ca, or plain_text_token=True")
    if has_tls:
        credentials = grpc.ssl_channel_credentials(
            _bytes(tls_ca), _bytes(tls_key), _bytes(tls_cert)
        )
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    return Endpoint(target, credentials, metadata)


def _bytes(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
