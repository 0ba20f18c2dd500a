"""The address to serve on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    """A host name or an IP address; a path for a Unix socket."""
    port: int | None
    """None for a Unix socket."""

    @property
    def is_local(self) -> bool:
        """Only programs on this machine can reach it."""
        return self.port is None or self.host == "localhost" or _is_loopback(self.host)

    def with_port(self, port: int) -> str:
        """The address as clients write it, with the port that it got."""
        if self.port is None:
            return f"unix:{self.host}"
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


def parse(text: str) -> Address:
    """The address that ``text`` means.

    Raises:
        ValueError: it is none.
    """
    if text.startswith("unix:") and len(text) > len("unix:"):
        return Address(text.removeprefix("unix:"), None)
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or int(found["port"]) > 65_535:
        raise ValueError(
            f"{text!r} is no address such as 127.0.0.1:50051, [::1]:50051 or unix:path"
        )
    return Address(found["ipv6"] or found["host"], int(found["port"]))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
