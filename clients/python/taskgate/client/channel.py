"""The connection to a server: TLS, retries, keepalive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc

_SERVICE = "taskgate.v1.TaskService"

# Every call may be repeated: what submits carries a request_id, the others change nothing twice.
# gRPC repeats at most five times whatever we say.
_SERVICE_CONFIG: Mapping[str, Any] = {
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}

_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
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


def open_channel(
    target: str,
    *,
    tls: bool = False,
    tls_ca: str | Path | None = None,
    tls_cert: str | Path | None = None,
    tls_key: str | Path | None = None,
) -> grpc.Channel:
    """A channel to ``host:port``; nothing is sent before the first call.

    Raises:
        OSError: a TLS file cannot be read.
    """
    if not (tls or tls_ca or tls_cert or tls_key):
        return grpc.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(_bytes(tls_ca), _bytes(tls_key), _bytes(tls_cert))
    return grpc.secure_channel(target, credentials, options=_OPTIONS)


def _bytes(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
