"""Publishing: what was just recorded at once, what comes due or was left behind when it is due.

One thread publishes for this server; other servers may do the same on the same outbox, because a
row that one has taken is its own for a while. While the broker is down, one message at a time tests
whether it is back; nothing waits for it, since the outbox has everything.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from taskgate.store import outbox, sweeping
from taskgate.store.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.outbox import Publication
from taskgate.tasks.brokers.connecting import BrokerUnavailable
from taskgate.tasks.brokers.publishing import Publisher

logger = logging.getLogger(__name__)

MOST_MESSAGES = 500
"""In one round trip to the broker."""

MOST_OFFERED = 10_000
"""More wait in the outbox only."""

LOOK_SECONDS = 0.2
"""How often to look into the outbox: workers and other servers write there too."""

EXPIRY_SECONDS = 1.0
OVERDUE_AT_ONCE = 200

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 5.0

OFFER_SECONDS = outbox.FIRST_HOLD.total_seconds() * 0.6
"""An older offer is about to come due in the outbox, and would be published twice."""


@dataclass(frozen=True, slots=True)
class _Offer:
    publications: Sequence[Publication]
    made_at: float


class Dispatcher:
    """Publishes from the outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher
        self._published: Callable[[Sequence[Publication]], None]
        self._offers: deque[_Offer] = deque()
        self._offered = 0
        self._closing = False
        self._changed = threading.Condition()
        self._broker = _Backoff()
        self._look_at = 0.0
        self._expire_at = 0.0
        self._thread = threading.Thread(target=self._run, name="taskgate-dispatcher", daemon=True)

    def start(self, published: Callable[[Sequence[Publication]], None]) -> None:
        """Start publishing. ``published``: called with what the broker has; must be quick."""
        self._published = published
        self._thread.start()

    def offer(self, publications: Sequence[Publication]) -> None:
        """Publish these soon; their outbox rows are held. Never waits."""
        with self._changed:
            if not publications or self._offered + len(publications) > MOST_OFFERED:
                return
            self._offers.append(_Offer(publications, time.monotonic()))
            self._offered += len(publications)
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Publish what was offered, then end; give up after so many seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not (self._closing and not self._offers):
            try:
                self._turn()
            except StoreUnavailable as exc:
                logger.warning("cannot read the outbox: %s", exc)
                self._look_at = time.monotonic() + FIRST_BACKOFF_SECONDS
            except Exception:
                logger.exception("the dispatcher failed; it goes on")
                self._look_at = time.monotonic() + LONGEST_BACKOFF_SECONDS

    def _turn(self) -> None:
        offered = self._take_offers()
        if offered and self._broker.is_open():
            self._publish(offered)
        if time.monotonic() >= self._look_at:
            self._look()

    def _take_offers(self) -> list[Publication]:
        with self._changed:
            pause = max(0.0, self._look_at - time.monotonic())
            self._changed.wait_for(lambda: self._offers or self._closing, pause)
            oldest = time.monotonic() - OFFER_SECONDS
            taken: list[Publication] = []
            while self._offers and len(taken) < MOST_MESSAGES:
                offer = self._offers.popleft()
                self._offered -= len(offer.publications)
                if offer.made_at > oldest:
                    taken.extend(offer.publications)
        return taken

    def _look(self) -> None:
        self._expire()
        with self._database.read() as tx:
            until_due = outbox.seconds_until_due(tx)
        pause = LOOK_SECONDS if until_due is None else min(until_due, LOOK_SECONDS)
        if pause <= 0 and self._broker.is_open():
            pause = self._publish_due()
        self._look_at = time.monotonic() + max(pause, self._broker.pause(), 0.0)

    def _publish_due(self) -> float:
        """Publish what is due; the seconds to wait before looking again."""
        limit = 1 if self._broker.failures else MOST_MESSAGES
        with self._database.write() as tx:
            due = outbox.take_due(tx, limit)
        if not due:
            return LOOK_SECONDS
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

    def _publish(self, publications: Sequence[Publication]) -> None:
        try:
            self._publisher.publish(publications)
        except BrokerUnavailable as exc:
            self._broker.failed()
            logger.warning("%d messages wait in the outbox: %s", len(publications), exc)
            self._release(publications)
        except Exception as exc:  # noqa: BLE001 - logged with the task that it is about
            self._publish_apart(publications, exc)
        else:
            self._broker.succeeded()
            self._published(publications)

    def _publish_apart(self, publications: Sequence[Publication], error: Exception) -> None:
        """A task that cannot be published must not hold up the others: it comes due again."""
        if len(publications) == 1:
            task_id = publications[0].task.id
            logger.error("task %s cannot be published", task_id, exc_info=error)
            return
        for publication in publications:
            self._publish([publication])

    def _release(self, publications: Sequence[Publication]) -> None:
        """Have them due again as soon as the broker is back."""
        with self._database.write() as tx:
            outbox.release(tx, publications, timedelta(0))


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
