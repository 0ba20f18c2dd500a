"""Free loopback ports."""

from __future__ import annotations

import random
import socket

# Below Linux's ephemeral range: there a client that keeps calling a server which is down can be
# given the server's own port, connect to itself, and hold the port against the restarted server.
_FIRST, _LAST = 15_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """Return a loopback port that nobody listens on and that was not given out before."""
    while True:
        port = random.randint(_FIRST, _LAST)  # two test runs side by side do not march in step
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: the closed connections of an earlier run do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
