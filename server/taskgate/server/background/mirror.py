"""Keeping a mirror: one server at a time tells it what is new in the record.

It follows the record from outside, so that a slow or broken mirror costs no task anything, and
every change is told whoever made it. States that pass faster than a pass are skipped; ends are not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from taskgate.store import mirror, queries
from taskgate.store.database.engine import Database
from taskgate.store.mirror import LOOK_BACK, Ended
from taskgate.tasks.background import leader
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.mirror import Mirror, MirrorUnavailable

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
"""Between passes that found nothing more to tell."""

OUTAGE_SECONDS = 5.0
"""Before a mirror that does not answer is tried again."""

BATCH = 200
"""Tasks told before the position is saved."""

MOST_STARTED = 5_000
"""Running tasks that are looked at in a pass."""


class Mirroring:
    """Tells a mirror what is new, in a thread of its own."""

    def __init__(self, database: Database, target: Mirror) -> None:
        self._database = database
        self._mirror = target
        self._told_versions: dict[str, int] = {}
        self._told_ends: dict[str, datetime] = {}
        self.loop = Loop("mirror", self._step)

    def tell_news(self) -> bool:
        """Make one pass, unless another server is making one; whether there may be more to tell.

        Raises:
            MirrorUnavailable: the mirror does not answer; what was told stays told.
            StoreUnavailable: the database does not answer.
        """
        with self._leading() as leads:
            if not leads:
                return False
            self._tell_started()
            return self._tell_ended()

    def _step(self) -> float:
        try:
            return 0.0 if self.tell_news() else PAUSE_SECONDS
        except MirrorUnavailable as exc:
            logger.warning("the mirror falls behind: %s", exc)
        return OUTAGE_SECONDS

    @contextmanager
    def _leading(self) -> Iterator[bool]:
        if self._database.is_sqlite:  # what two servers tell twice is the same
            yield True
            return
        with self._database.write() as tx:  # a transaction, which the lock lasts for
            yield leader.try_lock(tx, leader.MIRRORING)

    def _tell_started(self) -> None:
        with self._database.read() as tx:
            versions = mirror.started(tx, MOST_STARTED)
        newer = [
            key for key, version in versions.items() if self._told_versions.get(key) != version
        ]
        self._tell(newer)
        self._told_versions = versions

    def _tell_ended(self) -> bool:
        with self._database.write() as tx:
            told_until = mirror.position(tx, self._mirror.name)
        with self._database.read() as tx:
            ended = mirror.ended_since(tx, told_until, BATCH + len(self._told_ends))
        news = [one for one in ended if self._told_ends.get(one.task_id) != one.finished_at]
        self._tell(one.task_id for one in news)
        if news:
            self._remember(news, max(told_until, news[-1].finished_at))
        return len(news) >= BATCH

    def _tell(self, task_ids: Iterable[str]) -> None:
        with self._database.read() as tx:
            found = queries.get_many(tx, list(task_ids))
        for task in found.values():
            self._mirror.tell(task)

    def _remember(self, told: list[Ended], told_until: datetime) -> None:
        with self._database.autocommit() as tx:
            mirror.move(tx, self._mirror.name, told_until)
        self._told_ends.update((one.task_id, one.finished_at) for one in told)
        oldest = told_until - LOOK_BACK
        self._told_ends = {key: at for key, at in self._told_ends.items() if at >= oldest}
