"""The address to serve on, and why it cannot be listened on."""

from __future__ import annotations

import errno
import os
import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any


class AddressUnavailable(Exception):
    """The server cannot listen on its address."""


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


def why_not_free(address: Address) -> str:
    """Why a server cannot listen on the address, in words; empty if it can."""
    if address.port is None:
        return _why_not_bound(socket.AF_UNIX, address.host, address.host)
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as exc:
        return f"the host {address.host!r} cannot be resolved: {exc.strerror or exc}"
    reasons = (_why_not_bound(family, to, None) for family, _, _, _, to in found)
    return next((reason for reason in reasons if reason), "")


def _why_not_bound(family: int, to: Any, path: str | None) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as one:
        if path is None:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(to)
        except OSError as exc:
            return _CAUSES.get(exc.errno or 0, exc.strerror or str(exc))
    if path is not None:
        os.unlink(path)  # noqa: PTH108 - what bind has just made
    return ""


_CAUSES = {
    errno.EADDRINUSE: "another program listens on it (it is in use)",
    errno.EADDRNOTAVAIL: "this machine does not have the address",
    errno.EACCES: "this user may not: ports below 1024, and some folders, are others'",
    errno.ENOENT: "its folder does not exist",
}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
