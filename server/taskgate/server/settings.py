"""The server's settings, from the environment, beside those that it shares with workers."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from taskgate.server import addresses
from taskgate.tasks.settings import Names, Settings, split_names

logger = logging.getLogger(__name__)

MEBIBYTE = 1 << 20

_PREFIX = "TASKGATE_"

_OF_CLIENTS = frozenset(
    {
        "TASKGATE_TOKEN",
        "TASKGATE_PLAIN_TEXT_TOKEN",
        "TASKGATE_TLS_CA",
        "TASKGATE_TLS_CLIENT_CERT",
        "TASKGATE_TLS_CLIENT_KEY",
    }
)
"""What the `taskgate` command and the clients read."""

_OF_KUBERNETES = re.compile(r"TASKGATE_(SERVICE|PORT)(_.*)?")
"""Kubernetes sets these for a Service named taskgate."""


class MisspeltSetting(ValueError):
    """The name of an environment variable is nearly that of a setting."""


ANY_PORT = "auto"
"""Of ``TASKGATE_WEB_ADDRESS``: the dashboard's own port on loopback, or another if it is taken."""


class ServerSettings(Settings):
    """Where and how to serve.

    Raises:
        pydantic.ValidationError: a value is wrong, or would open the server to a network without
            TLS and tokens.
    """

    taskgate_address: str = "127.0.0.1:50051"
    """``host:port``, ``[IPv6]:port`` or ``unix:path``; port 0 takes a free one."""

    taskgate_web_address: str = ""
    """``host:port`` of the dashboard, which needs the extra ``taskgate[web]``; none if empty."""

    taskgate_web_hosts: Names = ()
    """Names by which browsers reach the dashboard, beside ``localhost`` and addresses: ``a,b``."""

    taskgate_tls_cert: Path | None = None
    """The server's certificate chain, PEM."""

    taskgate_tls_key: Path | None = None
    """The certificate's private key, PEM."""

    taskgate_tls_client_ca: Path | None = None
    """Clients must show a certificate that these authorities (PEM) have signed.

    Without tokens, its name is the caller's.
    """

    taskgate_tokens_file: Path | None = None
    """Who may call: a line with a name and a token's SHA-256 for each token."""

    taskgate_metrics_address: str | None = None
    """``host:port`` where Prometheus is answered, in plain HTTP; nowhere if None."""

    taskgate_insecure: bool = False
    """Serve on a network without TLS or without tokens."""

    taskgate_max_payload_bytes: int = Field(default=MEBIBYTE, ge=1024, le=64 * MEBIBYTE)
    """How long a task's arguments may be as JSON text."""

    taskgate_max_queued: int = Field(default=1_000_000, ge=0)
    """How many tasks may wait in each queue; 0 lets any number wait."""

    taskgate_max_message_bytes: int = Field(default=8 * MEBIBYTE, ge=65_536, le=256 * MEBIBYTE)
    """How long a whole request may be."""

    taskgate_max_wait_seconds: float = Field(default=600.0, ge=0.0, le=3600.0)
    """How long a Get may wait for its task, in seconds."""

    taskgate_drain_seconds: float = Field(default=20.0, ge=0.0, le=3600.0)
    """How long calls may go on after SIGTERM, in seconds."""

    taskgate_max_concurrent_calls: int = Field(default=10_000, ge=10)
    """Calls at once, waiting ones included; more are RESOURCE_EXHAUSTED."""

    taskgate_max_connection_age_seconds: float = Field(default=1800.0, ge=0.0, le=2_000_000.0)
    """When clients are asked to connect anew, so that they find new servers; 0 for never."""

    taskgate_retention_days: float = Field(default=30.0, ge=0.0, le=36_500.0)
    """How long final tasks are kept, in days; 0 keeps them for ever."""

    @property
    def retention(self) -> timedelta | None:
        """How long final tasks are kept; for ever if None."""
        days = self.taskgate_retention_days
        return timedelta(days=days) if days else None

    _split_hosts = field_validator("taskgate_web_hosts", mode="before")(split_names)

    @field_validator("taskgate_web_address")
    @classmethod
    def _is_web_address(cls, address: str) -> str:
        if address in ("", ANY_PORT):
            return address
        if addresses.parse(address).port is None:
            raise ValueError(f"{address!r} is no host:port: browsers know no Unix sockets")
        return address

    @field_validator("taskgate_address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        addresses.parse(address)
        return address

    @field_validator("taskgate_metrics_address")
    @classmethod
    def _is_tcp_address(cls, address: str | None) -> str | None:
        if address is not None and addresses.parse(address).port is None:
            raise ValueError("Prometheus needs a TCP port, such as 127.0.0.1:9464")
        return address

    @model_validator(mode="before")
    @classmethod
    def _names_are_known(cls, values: Any) -> Any:
        check_names(os.environ)
        return values

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.taskgate_tls_cert is None) != (self.taskgate_tls_key is None):
            raise ValueError("TASKGATE_TLS_CERT and TASKGATE_TLS_KEY need each other")
        if self.taskgate_tls_client_ca is not None and self.taskgate_tls_cert is None:
            raise ValueError("TASKGATE_TLS_CLIENT_CA needs TASKGATE_TLS_CERT and TASKGATE_TLS_KEY")
        return self

    @model_validator(mode="after")
    def _network_is_guarded(self) -> Self:
        self._check_guards("TASKGATE_ADDRESS", self.taskgate_address, needs_tokens=False)
        if self.taskgate_web_address:
            # Browsers show certificates to whoever asks; the dashboard knows callers by tokens.
            web = self.taskgate_web_address.replace(ANY_PORT, "127.0.0.1:0")
            self._check_guards("TASKGATE_WEB_ADDRESS", web, needs_tokens=True)
            if self.taskgate_tls_client_ca is not None and self.taskgate_tokens_file is None:
                raise ValueError(
                    "TASKGATE_WEB_ADDRESS needs TASKGATE_TOKENS_FILE where callers are known by "
                    "certificates: the dashboard would let in whoever has none"
                )
        return self

    def _check_guards(self, name: str, address: str, *, needs_tokens: bool) -> None:
        if self.taskgate_insecure or addresses.parse(address).is_local:
            return
        certificates = None if needs_tokens else self.taskgate_tls_client_ca
        missing = [
            needed
            for needed, value in (
                ("TASKGATE_TLS_CERT", self.taskgate_tls_cert),
                ("TASKGATE_TLS_KEY", self.taskgate_tls_key),
                ("TASKGATE_TOKENS_FILE", self.taskgate_tokens_file or certificates),
            )
            if value is None
        ]
        if missing:
            raise ValueError(
                f"{name} {address!r} can be reached from a network: set "
                f"{', '.join(missing)}, or TASKGATE_INSECURE=1 to serve whoever comes"
            )


def check_names(environment: Mapping[str, str]) -> None:
    """See that no setting is misspelt, which would leave the default in place without a word.

    Raises:
        MisspeltSetting: a name is nearly that of a setting.
    """
    known = {name.upper() for name in ServerSettings.model_fields} | _OF_CLIENTS
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known or _OF_KUBERNETES.fullmatch(name):
            continue
        suffixes = [one.removeprefix(_PREFIX) for one in known if one.startswith(_PREFIX)]
        near = difflib.get_close_matches(name.removeprefix(_PREFIX), suffixes, n=1, cutoff=0.75)
        if near:
            raise MisspeltSetting(f"{name} is no setting: did you mean {_PREFIX}{near[0]}?")
        logger.warning("%s is set, and is no setting of taskgate's", name)
