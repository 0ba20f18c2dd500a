"""HTTP/2 frame by frame, as no gRPC client would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def fields(path: str, authority: str, more: Iterable[tuple[str, str]] = ()) -> bytes:
    """The header fields of a POST, as literals: no table to keep."""
    named = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        *more,
    ]
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in named)


def _text(text: str) -> bytes:
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()


class Connection:
    """A connection that says what it is told to."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        self._received = b""

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        """Send a frame."""
        self.send_raw(frame(kind, flags, stream, payload))

    def send_raw(self, frames: bytes) -> None:
        """Send frames; OSError if the server has closed the connection."""
        self._socket.sendall(frames)

    def wait_for(self, kind: int, *, stream: int) -> bytes:
        """The payload of the next such frame; others are passed over."""
        while True:
            found, flags, of_stream, payload = self._read_frame()
            if found == SETTINGS and not flags & ACK:
                self.send(SETTINGS, ACK, 0)
            if (found, of_stream) == (kind, stream):
                return payload

    def drain(self) -> None:
        """Read until the server closes the connection."""
        with suppress(OSError):
            while self._socket.recv(65_536):
                pass

    def _read_frame(self) -> tuple[int, int, int, bytes]:
        head = self._read(9)
        payload = self._read(int.from_bytes(head[:3], "big"))
        return head[3], head[4], int.from_bytes(head[5:9], "big"), payload

    def _read(self, size: int) -> bytes:
        while len(self._received) < size:
            chunk = self._socket.recv(65_536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            self._received += chunk
        found, self._received = self._received[:size], self._received[size:]
        return found

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
