"""TLS for the server's address, with certificates that may be replaced while it serves."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

from taskgate.server.settings import ServerSettings

logger = logging.getLogger(__name__)

_NAMES = ("x509_common_name", "x509_subject_alternative_name")


class CredentialsError(ValueError):
    """A certificate or key cannot be read."""


def server_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """The credentials that the settings name; None for an address without TLS.

    The files are read again when one of them changes: connections from then on see the new ones.

    Raises:
        CredentialsError: a file cannot be read.
    """
    certificate, key = settings.taskgate_tls_cert, settings.taskgate_tls_key
    if certificate is None or key is None:
        return None
    files = _Files(certificate, key, settings.taskgate_tls_client_ca)
    files.check()
    return grpc.dynamic_ssl_server_credentials(
        files.read(),
        files.read_if_changed,  # type: ignore[arg-type]  # the stubs leave out that it may be None
        files.client_authorities is not None,
    )


def certificate_name(auth_context: Mapping[str, Iterable[bytes]]) -> str | None:
    """The name in the client's certificate: its common name, or else its first alternative one."""
    for name in _NAMES:
        for value in auth_context.get(name, ()):
            if value:
                return value.decode("utf-8", "backslashreplace")
    return None


@dataclass(slots=True)
class _Files:
    certificate: Path
    key: Path
    client_authorities: Path | None
    version: tuple[object, ...] = ()

    def read(self) -> grpc.ServerCertificateConfiguration:
        self.version = self._version()
        authorities = self.client_authorities
        return grpc.ssl_server_certificate_configuration(
            [(_read(self.key), _read(self.certificate))],
            None if authorities is None else _read(authorities),
        )

    def check(self) -> None:
        """See that they are what they should be: gRPC would only fail to listen.

        Raises:
            CredentialsError: they are not; the message says which.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except OSError as exc:
            raise CredentialsError(
                f"{self.certificate} and {self.key} are no certificate and its key: {exc}"
            ) from exc
        if self.client_authorities is not None:
            try:
                context.load_verify_locations(self.client_authorities)
            except OSError as exc:
                raise CredentialsError(
                    f"{self.client_authorities} has no certificates of authorities: {exc}"
                ) from exc

    def read_if_changed(self) -> grpc.ServerCertificateConfiguration | None:
        """GRPC asks before each handshake, in a thread of its own; None changes nothing."""
        if self._version() == self.version:
            return None
        try:
            configuration = self.read()
            self.check()
        except CredentialsError as exc:
            logger.warning("the certificates read before stay in use: %s", exc)
            return None
        logger.info("read the certificates again: %s", self.certificate)
        return configuration

    def _version(self) -> tuple[object, ...]:
        files = (self.certificate, self.key, self.client_authorities)
        return tuple(_file_version(path) for path in files if path is not None)


def _file_version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CredentialsError(f"cannot read {path}: {exc}") from exc
