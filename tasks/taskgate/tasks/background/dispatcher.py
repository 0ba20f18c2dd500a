"""Publishing: what was just recorded at once, what is due from the outbox when it is due.

Any number of dispatchers work on one outbox side by side, one in each server and each worker: who
takes a row has it to itself. While the broker is down one message at a time tests whether it is
back; nothing waits for it, since the outbox has everything.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Sequence

from taskgate.store import outbox, pauses, sweeping
from taskgate.store.database.engine import Database
from taskgate.store.record import Task
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.brokers.connecting import BrokerUnavailable
from taskgate.tasks.brokers.publishing import Publisher

logger = logging.getLogger(__name__)

MOST_MESSAGES = 1_000
"""In one round trip to the broker: a whole SubmitBatch."""

MOST_RELEASED = 5_000
"""Rows in one transaction that pauses begin or cease to hold."""

MOST_OFFERED = 10_000
"""More is published from the outbox."""

POLL_SECONDS = 0.2
"""How often a server looks into the outbox: workers and other servers write there too."""

WORKER_POLL_SECONDS = 1.0
"""How often a worker does: there can be many of them."""

EXPIRY_SECONDS = 1.0
OVERDUE_AT_ONCE = 200

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 5.0


class Dispatcher:
    """Publishes from the outbox, in a thread of its own."""

    def __init__(
        self, database: Database, publisher: Publisher, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._poll_seconds = poll_seconds
        self._offers: deque[Task] = deque()
        self._broker = _Backoff()
        self._poll_at = 0.0
        self._expire_at = 0.0
        self.loop = Loop("dispatcher", self._step, is_idle=lambda: not self._offers)

    def accepts_offers(self) -> bool:
        """Whether what is offered now will be published at once, as far as one can tell."""
        return self._broker.is_open() and len(self._offers) < MOST_OFFERED

    def offer(self, tasks: Sequence[Task]) -> None:
        """Publish these, whose outbox rows say that they are published. Never waits."""
        self._offers.extend(tasks)
        self.loop.wake()

    def _step(self) -> float:
        offered = self._take_offers()
        if offered:
            self._publish_or_release(offered)
        if time.monotonic() >= self._poll_at:
            self.poll()
        return 0.0 if self._offers else max(self._poll_at - time.monotonic(), 0.0)

    def _take_offers(self) -> list[Task]:
        number = min(len(self._offers), MOST_MESSAGES)
        return [self._offers.popleft() for _ in range(number)]

    def _publish_or_release(self, offered: Sequence[Task]) -> None:
        try:
            if self._broker.is_open():
                self._publish(offered)
            else:
                self._release(offered)
        except Exception:
            # Neither published nor released: their rows are found as those of lost messages.
            logger.warning("%d tasks may have to be published again", len(offered))
            raise

    def poll(self) -> None:
        """See to what is overdue, paused and due in the outbox, now."""
        self._expire()
        with self._database.read() as tx:
            look = outbox.look(tx)
        more_to_release = look.has_pauses and self._mind_pauses()
        until_due = look.seconds_until_due
        pause = self._poll_seconds if until_due is None else min(until_due, self._poll_seconds)
        if pause <= 0 and self._broker.is_open():
            pause = self._publish_due()
        if more_to_release:
            pause = 0.0
        self._poll_at = time.monotonic() + max(pause, self._broker.pause(), 0.0)

    def _mind_pauses(self) -> bool:
        """Hold back what is due and paused, release what is so no more; whether there is more."""
        with self._database.write() as tx:
            released = pauses.release(tx, MOST_RELEASED)
            pauses.hold_due(tx, MOST_RELEASED)
        return released > 0

    def _publish_due(self) -> float:
        """Publish what is due; the seconds to wait before looking again."""
        limit = 1 if self._broker.failures else MOST_MESSAGES
        with self._database.write() as tx:
            due = outbox.take_due(tx, limit)
        if not due:
            return self._poll_seconds
        self._publish(due)
        return 0.0

    def _expire(self) -> None:
        if time.monotonic() < self._expire_at:
            return
        with self._database.write() as tx:
            expired = sweeping.expire_overdue(tx, OVERDUE_AT_ONCE)
        for task_id in expired:
            logger.info("task %s expired before it started", task_id)
        more = len(expired) == OVERDUE_AT_ONCE
        self._expire_at = time.monotonic() + (0.0 if more else EXPIRY_SECONDS)

    # The formal model's step Publish.
    def _publish(self, tasks: Sequence[Task]) -> None:
        try:
            self._publisher.publish(tasks)
        except BrokerUnavailable as exc:
            self._broker.failed()
            logger.warning("%d messages wait in the outbox: %s", len(tasks), exc)
            self._release(tasks)
        except Exception as exc:  # noqa: BLE001 - logged with the task that it is about
            self._publish_apart(tasks, exc)
        else:
            self._broker.succeeded()

    def _publish_apart(self, tasks: Sequence[Task], error: Exception) -> None:
        """A task that cannot be published must not hold up the others."""
        if len(tasks) == 1:
            logger.error("task %s cannot be published", tasks[0].id, exc_info=error)
            return
        for task in tasks:
            self._publish([task])

    def _release(self, tasks: Sequence[Task]) -> None:
        """Have them due again, for when the broker is back."""
        with self._database.write() as tx:
            outbox.release(tx, tasks)


class _Backoff:
    """Whether to try the broker, after failures more and more rarely."""

    def __init__(self) -> None:
        self.failures = 0
        self._closed_until = 0.0

    def is_open(self) -> bool:
        return self.pause() <= 0

    def pause(self) -> float:
        return self._closed_until - time.monotonic()

    def failed(self) -> None:
        longest = min(FIRST_BACKOFF_SECONDS * 2 ** min(self.failures, 20), LONGEST_BACKOFF_SECONDS)
        self.failures += 1
        # Servers that failed together do not come back together.
        self._closed_until = time.monotonic() + longest * random.uniform(0.5, 1.0)  # noqa: S311

    def succeeded(self) -> None:
        self.failures = 0
        self._closed_until = 0.0
