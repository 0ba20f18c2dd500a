"""Calls a server that is restarted meanwhile, from threads: test_restarts.py says how."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from threading import Event
from typing import Any

from taskgate.client import Client, State, Task, TaskHandle

CALLERS = 4
PAUSE = 0.01

client = Client(sys.argv[1], timeout=60)  # a busy machine starts a server slowly
calls: Counter[str] = Counter()
errors: list[str] = []
stopping = Event()


def note(name: str, call: Callable[[], Any]) -> None:
    """Make a call and keep what became of it."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever the caller sees is an answer here
        errors.append(f"{name}: {error!r}")
    calls[name] += 1


def again(name: str, call: Callable[[int], Any], first: Event) -> None:
    """Make a call until it is time to stop, and once more."""
    for number in count():
        last = stopping.is_set()
        note(name, lambda number=number: call(number))  # type: ignore[misc]
        first.set()
        if last:
            return
        time.sleep(PAUSE)


def submit(request: str) -> TaskHandle:
    request_id = f"threads-{os.getpid()}-{request}"
    return client.submit("demo.add", delay=3600, request_id=request_id)


def submit_twice(request: str) -> None:
    first, second = submit(request), submit(request)
    assert first.id == second.id, "one request id made two tasks"


def wait(handle: TaskHandle) -> None:
    expect_aborted(handle.wait())


def watch(handle: TaskHandle) -> None:
    seen = list(client.watch([handle]))
    versions = [task.version for task in seen]
    assert versions == sorted(set(versions)), versions
    expect_aborted(seen[-1])


def expect_aborted(task: Task) -> None:
    assert task.state is State.ABORTED, task.state


def main() -> None:
    followed = [submit(f"followed-{number}") for number in range(CALLERS)]
    started: list[Event] = []
    with ThreadPoolExecutor(5 * CALLERS) as threads:
        for number, handle in enumerate(followed):
            threads.submit(note, "wait", partial(wait, handle))
            threads.submit(note, "watch", partial(watch, handle))
            repeated: tuple[tuple[str, Callable[[int], Any]], ...] = (
                ("submit", lambda turn, number=number: submit_twice(f"{number}-{turn}")),  # type: ignore[misc]
                ("get", lambda _turn, handle=handle: handle.get(wait=1)),  # type: ignore[misc]
                ("list", lambda _turn: list(islice(client.list(page_size=5), 5))),
            )
            for name, call in repeated:
                started.append(Event())
                threads.submit(again, name, call, started[-1])
        for event in started:
            event.wait()
        print("READY", flush=True)
        sys.stdin.readline()
        stopping.set()
        for handle in followed:
            note("abort", handle.abort)
    client.close()
    print(json.dumps({"calls": calls, "errors": errors}))


if __name__ == "__main__":
    main()
