"""What an attempt has logged, and writing it: the newest lines, as many as there is room for."""

from __future__ import annotations

import threading
import time
from collections import deque

from celery.utils.log import get_logger

from taskgate.store import logs
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.logs import Line
from taskgate.tasks.failures import cut

PERIOD_SECONDS = 1.0
"""What a running task logs is written so often, at most."""

LONGEST_LINE = 8_000
"""In characters."""

MOST_LINES = 1_000

logger = get_logger(__name__)


class TaskLog:
    """The lines of one attempt. Threads of the task may write at once."""

    def __init__(self, task_id: str, attempt: int, most_bytes: int) -> None:
        self.task_id = task_id
        self.attempt = attempt
        self.has_news = False
        """Something has not been written."""
        self._most_bytes = most_bytes
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def add(self, line: Line) -> None:
        """Keep a line, and drop the oldest ones that it leaves no room for."""
        line = line._replace(message=cut(line.message, min(LONGEST_LINE, self._most_bytes)))
        with self._lock:
            self._lines.append(line)
            self._bytes += _size(line)
            while len(self._lines) > MOST_LINES or (
                self._bytes > self._most_bytes and len(self._lines) > 1
            ):
                self._bytes -= _size(self._lines.popleft())
                self._dropped += 1
            self.has_news = True

    def take(self) -> logs.AttemptLog:
        """All that is kept; it is whoever takes it that writes it."""
        with self._lock:
            self.has_news = False
            return logs.AttemptLog(self.task_id, self.attempt, self._dropped, tuple(self._lines))


def _size(line: Line) -> int:
    return len(line.message.encode("utf-8", "surrogatepass"))


class LogWriter:
    """Writes what attempts of this process log, once a second while they run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, TaskLog] = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, log: TaskLog) -> None:
        """Have a log that has news written soon."""
        with self._changed:
            self._waiting[id(log)] = log
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="taskgate-logs", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def write(self, log: TaskLog) -> None:
        """Write a log now. What cannot be written is lost: no task waits for its log."""
        with self._changed:
            self._waiting.pop(id(log), None)
        with self._writing:  # nothing older can come after it
            self._try_to_write([log])

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            # First: what an attempt logs in its first second is mostly written with its end.
            time.sleep(PERIOD_SECONDS)
            with self._writing:
                with self._changed:
                    waiting, self._waiting = self._waiting, {}
                self._try_to_write(list(waiting.values()))

    def _try_to_write(self, waiting: list[TaskLog]) -> None:
        taken = [log.take() for log in waiting if log.has_news]
        if not taken:
            return
        names = ", ".join(log.task_id for log in taken)
        try:
            alone = len(taken) == 1
            with self._database.autocommit() if alone else self._database.write() as tx:
                for log in taken:
                    logs.write(tx, log)
        except StoreUnavailable as exc:
            logger.warning("the log of %s was not recorded: %s", names, exc)
        except Exception:
            # This thread serves every attempt of the process: it must outlive one bad line.
            logger.exception("the log of %s was not recorded", names)
