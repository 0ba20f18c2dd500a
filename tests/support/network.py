"""A network of its own for one process, with a link that a test can cut and make bad."""

from __future__ import annotations

import itertools
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from support.require import require, require_root

_CHUNK = 65_536
_numbers = itertools.count(1)


class Relay:
    """Passes TCP connections on to a server of this machine, delayed if a test says so."""

    def __init__(self, address: str, port: int) -> None:
        """``address``: where it listens, on a port of its own; ``port``: the server's."""
        self.delay = 0.0
        """Seconds in each direction."""
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._target, timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._ends += [near, far]
                self._pass(near, far)
                self._pass(far, near)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        chunks: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(source, chunks), daemon=True).start()
        threading.Thread(target=_write, args=(chunks, target), daemon=True).start()

    def _read(self, source: socket.socket, chunks: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        chunk = b"first"
        while chunk:
            try:
                chunk = source.recv(_CHUNK)
            except OSError:
                chunk = b""
            chunks.put((time.monotonic() + self.delay, chunk))


def _write(chunks: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    with suppress(OSError):
        while True:
            due, chunk = chunks.get()
            time.sleep(max(due - time.monotonic(), 0))
            if not chunk:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(chunk)


@dataclass(frozen=True)
class Island:
    """A network namespace whose only neighbour is this machine."""

    name: str
    address: str
    """This machine's, as seen from there."""
    table: str

    @property
    def prefix(self) -> list[str]:
        """What runs a command there."""
        return [str(require("ip")), "netns", "exec", self.name]

    def drop(self, port: int, percent: int = 100) -> None:
        """Have packets to and from a port of this machine vanish, so many of a hundred."""
        chance = [] if percent == 100 else f"numgen random mod 100 < {percent}".split()
        for direction in ("dport", "sport"):
            chain = "input" if direction == "dport" else "output"
            _run("nft", "add", "rule", "inet", self.table, chain, "tcp", direction, str(port),
                 *chance, "drop")  # fmt: skip

    def restore(self) -> None:
        """Have all packets arrive again."""
        _run("nft", "flush", "table", "inet", self.table)


@contextmanager
def island() -> Iterator[Island]:
    """A network namespace, removed at the end; skips where we are not root."""
    require_root("network namespaces")
    number = next(_numbers)
    unique = f"{os.getpid() % 100_000}x{number}"
    # 198.18.0.0/15 is for tests between networks: RFC 2544.
    here, there = (f"198.18.{os.getpid() % 250}.{number * 4 + host}" for host in (1, 2))
    made = Island(f"taskgate-{unique}", here, f"taskgate_{unique}")
    near, far = f"tg{unique}a", f"tg{unique}b"
    with ExitStack() as exits:
        _run("ip", "netns", "add", made.name)
        exits.callback(_run, "ip", "netns", "del", made.name)
        _run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", made.name)
        exits.callback(_run_if_possible, "ip", "link", "del", near)
        _run("ip", "addr", "add", f"{here}/30", "dev", near)
        _run("ip", "link", "set", near, "up")
        _run("ip", "-n", made.name, "addr", "add", f"{there}/30", "dev", far)
        _run("ip", "-n", made.name, "link", "set", far, "up")
        _run("ip", "-n", made.name, "link", "set", "lo", "up")
        _run("nft", "add", "table", "inet", made.table)
        exits.callback(_run, "nft", "delete", "table", "inet", made.table)
        for chain in ("input", "output"):
            hook = f"{{ type filter hook {chain} priority 0 ; }}"
            _run("nft", "add", "chain", "inet", made.table, chain, hook)
        yield made


def _run(program: str, *arguments: str) -> None:
    subprocess.run([require(program), *arguments], check=True, capture_output=True, timeout=30)


def _run_if_possible(program: str, *arguments: str) -> None:
    """Removing a namespace removes its end of a link, and with it the other one, in a while."""
    subprocess.run([require(program), *arguments], check=False, capture_output=True, timeout=30)
