"""TLS for the server's address."""

from __future__ import annotations

from pathlib import Path

import grpc

from taskgate.server.settings import ServerSettings


class CredentialsError(ValueError):
    """A certificate or key cannot be read."""


def server_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """The credentials that the settings name; None for an address without TLS.

    Raises:
        CredentialsError: a file cannot be read.
    """
    certificate, key = settings.taskgate_tls_cert, settings.taskgate_tls_key
    if certificate is None or key is None:
        return None
    authorities = settings.taskgate_tls_client_ca
    return grpc.ssl_server_credentials(
        [(_read(key), _read(certificate))],
        root_certificates=None if authorities is None else _read(authorities),
        require_client_auth=authorities is not None,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CredentialsError(f"cannot read {path}: {exc}") from exc
