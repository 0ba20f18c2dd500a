"""Task types that write down what they do, outside the database, for tests to read.

A line of the journal: `<task id> <attempt> <word> <time>`; one write each, so that lines of
different processes do not mix.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from taskgate.tasks import TaskgateTask, task


def write(task_: TaskgateTask, word: str) -> None:
    """Append a line about the current attempt to the journal."""
    request = task_.request
    attempt = getattr(request, "taskgate_attempt", None) or 1
    line = f"{request.id} {attempt} {word} {time.time():.6f}\n"
    descriptor = os.open(os.environ["JOURNAL_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@task(name="journal.run", bind=True)
def run(self: TaskgateTask, seconds: float = 0, value: Any = None) -> Any:
    """Work for a while without looking at aborts, and return the value."""
    write(self, "start")
    time.sleep(seconds)
    write(self, "end")
    return value


@task(name="journal.abortable", bind=True)
def abortable(self: TaskgateTask, seconds: float) -> str:
    """Work for a while, looking for an abort all the time."""
    write(self, "start")
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if self.is_aborted():
            write(self, "saw-abort")
            return "stopped"
        pause.wait(0.02)
    write(self, "end")
    return "done"


@task(
    name="journal.flaky",
    bind=True,
    autoretry_for=(ValueError,),
    max_retries=5,
    default_retry_delay=1,
)
def flaky(self: TaskgateTask, failures: int) -> int:
    """Fail so many times."""
    write(self, "start")
    if self.request.retries < failures:
        raise ValueError(f"failure {self.request.retries + 1} of {failures}")
    write(self, "end")
    return failures


@task(name="journal.unserializable", bind=True)
def unserializable(self: TaskgateTask) -> object:
    """Return what JSON cannot hold."""
    write(self, "start")
    return object()


@task(name="journal.fatal", bind=True)
def fatal(self: TaskgateTask) -> None:
    """Kill the process that runs it."""
    write(self, "start")
    os.kill(os.getpid(), 9)


@task(name="journal.fatal_once", bind=True, at_most_once=True)
def fatal_once(self: TaskgateTask) -> None:
    """Kill the process that runs it; never to be run again."""
    write(self, "start")
    os.kill(os.getpid(), 9)
