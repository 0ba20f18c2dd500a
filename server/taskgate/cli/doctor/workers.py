"""The workers: whether any is at work, on which queues, and what they cannot do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from taskgate.cli.doctor.finding import Finding, ok, problem, warning
from taskgate.store import sweeping, workers
from taskgate.store.engine import Database
from taskgate.store.workers import Worker


def look_at_workers(database: Database, queues: Collection[str]) -> Iterator[Finding]:
    """What the record says of workers; ``queues`` are those that should be served.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        known = workers.list_all(tx)
        waiting = sweeping.impatient_queues(tx)
    alive = [worker for worker in known if worker.is_alive]
    if alive:
        yield ok(f"{len(alive)} at work: {', '.join(map(_described, alive))}")
        yield from _force(alive)
    else:
        yield problem(
            "no worker is at work: tasks are taken and wait",
            "start one: `taskgate worker`, or `taskgate up`",
        )
    yield from _queues(alive, queues, waiting)
    yield from _dead(known)


def _described(worker: Worker) -> str:
    details = worker.details
    return f"{worker.id} ({details.get('pool')}, {details.get('concurrency')} at once)"


def _force(alive: Sequence[Worker]) -> Iterator[Finding]:
    unable = [worker for worker in alive if not worker.details.get("can_force")]
    if not unable:
        yield ok("all of them can end a task by force, and at its time limit")
        return
    yield warning(
        f"{', '.join(map(_described, unable))} cannot end a task by force or at its time limit",
        "start workers with --pool=prefork, or write tasks that look at is_aborted()",
    )


def _queues(
    alive: Sequence[Worker], wanted: Collection[str], waiting: Collection[str]
) -> Iterator[Finding]:
    served = {queue for worker in alive for queue in worker.details.get("queues") or ()}
    if not alive:
        return
    for queue in sorted({*wanted, *waiting} - served):
        tasks = "tasks wait in queue" if queue in waiting else "there is a queue"
        yield warning(
            f"{tasks} {queue!r}, and no worker takes from it",
            f"start one: `taskgate worker --queues={queue}`",
        )


def _dead(known: Sequence[Worker]) -> Iterator[Finding]:
    lost = [worker for worker in known if worker.lost_at is not None]
    if lost:
        yield warning(
            f"{len(lost)} died lately, {lost[0].id} last; its tasks went to others",
            "look into its log, and for the kernel's OOM killer",
        )
    unnoticed = [
        worker
        for worker in known
        if not worker.is_alive and worker.stopped_at is None and worker.lost_at is None
    ]
    if unnoticed:
        yield warning(
            f"the lease of {unnoticed[0].id} ran out, and no server has noticed yet",
            "servers notice within seconds: start one, or run `taskgate sweep`",
        )
