"""The sweeper: looks after what nobody is looking after.

A pass ends the leases that ran out, puts dead workers' tasks back, publishes again what seems lost
at the broker, starts the bodies of chords that nobody else does, and deletes what is old. Every
step is guarded by the record, so a pass too many does no harm; one server at a time makes them all
the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from celery import Celery
from sqlalchemy import Connection, text

from taskgate.store import canvas, events, operations, outbox, sweeping, task_types, workers
from taskgate.store import chords as store_chords
from taskgate.store.database.engine import Database
from taskgate.tasks import chords
from taskgate.tasks.background import leader
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.brokers.connecting import BrokerUnavailable, queue_lengths
from taskgate.tasks.settings import Settings

T = TypeVar("T")

logger = logging.getLogger(__name__)

BATCH = 200
"""Tasks in a transaction: enough to be quick, few enough not to keep others waiting."""

MOST_DELETING_STEPS = 50
"""In a pass: enough to keep up with a busy system, few enough not to keep a pass from its end."""

PASSES_PER_LEASE = 5
LONGEST_PAUSE_SECONDS = 3.0

FORGET_AFTER = timedelta(days=1)
"""Workers that are gone, and how far queues were claimed that nobody uses."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a pass did."""

    lost_workers: tuple[str, ...] = ()
    orphans: tuple[sweeping.Orphan, ...] = ()
    republished: tuple[str, ...] = ()
    unlocked: tuple[str, ...] = ()
    deleted: int = 0


class Sweeper:
    """Makes passes over one record: in the background once that is started, or when called."""

    def __init__(
        self,
        database: Database,
        app: Celery,
        *,
        lease: timedelta,
        max_worker_losses: int,
        retention: timedelta | None,
        own_worker: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``retention``: how long final tasks are kept; for ever if None.

        ``own_worker``: the worker that this process is, and that lives, however late its lease.
        """
        self._database = database
        self._app = app
        self._lease = lease
        self._max_worker_losses = max_worker_losses
        self._retention = retention
        self._own_worker = own_worker
        self._answering_since: float | None = None
        self._pause = min(lease.total_seconds() / PASSES_PER_LEASE, LONGEST_PAUSE_SECONDS)
        self.loop = Loop("sweeper", self._pass, first_pause=self._pause)

    def _pass(self) -> float:
        self.sweep()
        return self._pause

    def sweep(self) -> Swept:
        """Make one pass, as far as no other server is making one.

        Workers are given up for dead only once the database has answered for the length of a lease:
        while it did not, none of them could renew its own.

        Raises:
            StoreUnavailable: the database does not answer; the pass ends there.
        """
        try:
            self._note_answer()
            swept = self._sweep(end_leases=self._answered_for_a_lease())
        except Exception:
            self._answering_since = None
            raise
        _log(swept)
        return swept

    def sweep_by_hand(self) -> Swept:
        """Make one pass and give up workers whose lease ran out, without waiting for a lease."""
        return self._sweep(end_leases=True)

    def _sweep(self, *, end_leases: bool) -> Swept:
        lost = self._step(self._end_lost_leases if end_leases else lambda _: [])
        if lost is None:
            return Swept()
        return Swept(
            lost_workers=tuple(lost),
            orphans=tuple(self._in_batches(self._put_orphans_back)),
            republished=tuple(self._republish_lost_messages()),
            unlocked=tuple(self._in_batches(lambda tx: chords.unlock_ready(tx, BATCH))),
            deleted=self._delete_old(),
        )

    def _end_lost_leases(self, tx: Connection) -> list[str]:
        return sweeping.end_lost_leases(tx, self._own_worker())

    def _note_answer(self) -> None:
        with self._database.read() as tx:
            tx.execute(text("SELECT 1"))
        if self._answering_since is None:
            self._answering_since = time.monotonic()

    def _answered_for_a_lease(self) -> bool:
        since = self._answering_since
        return since is not None and time.monotonic() - since >= self._lease.total_seconds()

    def _step(self, function: Callable[[Connection], T]) -> T | None:
        """Run a step in a transaction of its own; None if another server is at it."""
        with self._database.write() as tx:
            return function(tx) if self._is_leader(tx) else None

    def _is_leader(self, tx: Connection) -> bool:
        # SQLite's writers take turns anyway.
        return self._database.is_sqlite or leader.try_lock(tx, leader.SWEEPING)

    def _in_batches(self, step: Callable[[Connection], list[T]]) -> list[T]:
        done: list[T] = []
        while True:
            some = self._step(step) or []
            done.extend(some)
            if len(some) < BATCH:
                return done

    def _put_orphans_back(self, tx: Connection) -> list[sweeping.Orphan]:
        found = sweeping.orphans(tx, BATCH)
        if not found:
            return []
        types = task_types.by_name(tx)
        return [
            orphan
            for orphan in found
            if sweeping.put_back(tx, orphan, self._max_losses(types.get(orphan.task_type)))
        ]

    def _max_losses(self, task_type: task_types.TaskType | None) -> int:
        options = {} if task_type is None else task_type.definition.get("options") or {}
        return 0 if options.get("at_most_once") else self._max_worker_losses

    def _republish_lost_messages(self) -> list[str]:
        with self._database.read() as tx:
            overdue = outbox.overdue_subqueues(tx)
        if not overdue:
            return []
        empty = self._empty_queues(sorted({subqueue.queue for subqueue in overdue}))
        return [
            task_id
            for subqueue in overdue
            for task_id in self._in_batches(
                partial(
                    outbox.republish_lost,
                    subqueue=subqueue,
                    queue_is_empty=subqueue.queue in empty,
                    limit=BATCH,
                )
            )
        ]

    def _empty_queues(self, queues: list[str]) -> list[str]:
        try:
            lengths = queue_lengths(self._app, queues)
        except BrokerUnavailable as exc:
            # It will be asked again; what waits in it is not lost for being out of reach.
            logger.warning("the broker does not say how long its queues are: %s", exc)
            return []
        return [queue for queue in queues if lengths[queue] == 0]

    def _delete_old(self) -> int:
        self._step(lambda tx: workers.forget_stopped(tx, FORGET_AFTER))
        self._step(lambda tx: outbox.forget_watermarks(tx, FORGET_AFTER))
        # Before their parts: until then these stay.
        self._delete_in_batches(lambda tx: store_chords.delete_done(tx, BATCH))
        if self._retention is None:
            return 0
        retention = self._retention
        self._step(lambda tx: canvas.delete_old_groups(tx, retention))
        self._step(lambda tx: events.forget_old(tx, retention))
        self._step(lambda tx: operations.delete_old(tx, retention))
        given_up = self._delete_in_batches(lambda tx: store_chords.delete_old(tx, retention, BATCH))
        if given_up:
            logger.warning("%d chords whose parts are gone were deleted", given_up)
        return self._delete_in_batches(lambda tx: sweeping.delete_final(tx, retention, BATCH))

    def _delete_in_batches(self, step: Callable[[Connection], int]) -> int:
        deleted = 0
        for _ in range(MOST_DELETING_STEPS):
            some = self._step(step) or 0
            deleted += some
            if some < BATCH:
                break
        return deleted


def sweeper_of(
    settings: Settings, database: Database, app: Celery, retention: timedelta | None
) -> Sweeper:
    """The sweeper that the settings describe."""
    return Sweeper(
        database,
        app,
        lease=timedelta(seconds=settings.taskgate_lease_seconds),
        max_worker_losses=settings.taskgate_max_worker_losses,
        retention=retention,
    )


def _log(swept: Swept) -> None:
    for worker in swept.lost_workers:
        logger.warning("worker %s is given up for dead: its lease ran out", worker)
    for orphan in swept.orphans:
        logger.warning(
            "task %s lost worker %s in attempt %d", orphan.task_id, orphan.worker, orphan.attempt
        )
    if swept.republished:
        logger.warning(
            "%d tasks seem lost at the broker and are published again, task %s first",
            len(swept.republished),
            swept.republished[0],
        )
    for chord_id in swept.unlocked:
        logger.info("the parts of chord %s have ended: its body starts", chord_id)
    if swept.deleted:
        logger.info("%d old tasks deleted", swept.deleted)
