"""Load on servers: many calls at once by h2load, and calls one at a time, timed."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import Message

IN_FLIGHT = 128
_CONNECTIONS = 8
_NEARLY = 0.95
"""Answers differ a little in length: by their times."""


class CallsFailed(RuntimeError):
    """Not every call was answered as it should be."""


@dataclass(frozen=True, slots=True)
class Calls:
    """A call to be made many times, with these requests alike; each is answered about as long."""

    name: str
    requests: Sequence[Message]
    answer: Message


def grpc_rate(address: str, calls: Calls, number: int, folder: Path) -> float:
    """Answered calls a second, 128 in flight on eight connections."""
    each = _CONNECTIONS // len(calls.requests)
    many = ("-c", str(each), "-m", str(IN_FLIGHT // _CONNECTIONS))
    headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    url = f"http://{address}/taskgate.v1.TaskService/{calls.name}"
    loads = [
        (*many, *headers, "-d", _frame(request, folder / f"request-{n}"), url)
        for n, request in enumerate(calls.requests)
    ]
    return _h2load(loads, number, least_bytes=int(calls.answer.ByteSize() * _NEARLY))


def http_rate(url: str, body: str, content_type: str, number: int, folder: Path) -> float:
    """Answered HTTP/1.1 requests a second, on 128 connections."""
    file = folder / "body"
    file.write_text(body)
    headers = ("-H", f"content-type: {content_type}", "-d", str(file))
    load = ("--h1", "-c", str(IN_FLIGHT), *headers, url)
    return _h2load([load], max(number, 2 * IN_FLIGHT), least_bytes=0)


def _frame(request: Message, file: Path) -> str:
    body = request.SerializeToString()
    file.write_bytes(b"\0" + len(body).to_bytes(4, "big") + body)
    return str(file)


def _h2load(loads: Sequence[Sequence[str]], number: int, *, least_bytes: int) -> float:
    each = number // len(loads)
    begun_at = time.monotonic()
    running = [
        subprocess.Popen(
            ["h2load", "-n", str(each), *load],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for load in loads
    ]
    outputs = [process.communicate(timeout=300)[0] for process in running]
    seconds = time.monotonic() - begun_at
    for output in outputs:
        _check(output, each, least_bytes)
    return each * len(loads) / seconds


def _check(output: str, number: int, least_bytes: int) -> None:
    # A gRPC error has the HTTP status 200, too, but no body.
    succeeded = re.search(r" (\d+) succeeded", output)
    data = re.search(r"\((\d+)\) data", output)
    if succeeded is None or data is None:
        raise CallsFailed(output)
    if int(succeeded[1]) != number or int(data[1]) < number * least_bytes:
        raise CallsFailed(output)


def median_seconds(call: Callable[[], object], calls: int) -> float:
    """How long a call takes, one at a time: the median."""
    return statistics.median(durations(call, calls))


def durations(call: Callable[[], object], calls: int) -> list[float]:
    """How long each of some calls takes, one at a time, in seconds."""
    found = []
    for _ in range(calls):
        begun_at = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun_at)
    return found
