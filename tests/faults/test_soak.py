"""Mixed load for as long as one likes, while workers die and servers are restarted: `make soak`."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from sqlalchemy import text

from support.deployment import Deployment
from support.engines import Engines
from support.invariants import check, wait_until_final
from support.ports import free_port
from support.processes import Process, memory
from support.traffic import TRY_AGAIN, Traffic, traffic_to
from taskgate.client import Client, Submission, TaskHandle
from taskgate.store.lifecycle import State

from .conftest import Deploy

MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))

TASKS, ABORTED, FLAKY, BATCH, RETRIED = 100, 10, 10, 50, 5
"""Of a round."""

ROUND_SECONDS = 5.0
PATIENCE = 120.0

GROWTH = 1.2
"""What the last third of the time may use, as a multiple of what the third before it did."""


OUTBOX_BYTES = 16 << 20
"""Of a table through which every task goes: what is dead is used again."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is used at one moment."""

    server_bytes: float
    worker_bytes: float
    open_files: float
    record_bytes_a_task: float
    outbox_bytes: float


@pytest.mark.skipif(not MINUTES, reason="`make soak` runs it, an hour long")
@pytest.mark.timeout(MINUTES * 60 + 900)
def test_nothing_is_lost_and_nothing_grows(
    engines_of: Callable[[str], Engines], deploy: Deploy, measured: Callable[..., None]
) -> None:
    deployment = deploy(engines_of("redis+postgresql"))
    with traffic_to(deployment, {*TRY_AGAIN, grpc.StatusCode.CANCELLED}) as traffic:
        soak = _Soak(deployment, traffic)
        samples = soak.run(MINUTES * 60)
        submissions = traffic.wait()
        others = soak.others
        wait_until_final(deployment, others | {s.task_id for s in submissions}, 300)
    evidence = check(deployment, submissions)
    assert set(evidence.states) <= {State.SUCCEEDED, State.ABORTED}
    assert others <= evidence.tasks.keys()
    _assert_flat(samples)
    last = samples[-1]
    assert last.outbox_bytes < OUTBOX_BYTES
    measured(
        evidence,
        servers_restarted=soak.restarts,
        workers_killed=soak.kills,
        watched=soak.watched,
        server_MiB=int(last.server_bytes) >> 20,
        worker_MiB=int(last.worker_bytes) >> 20,
        record_bytes_a_task=round(last.record_bytes_a_task),
    )


class _Soak:
    """A server and a worker that stay, whose use is measured, and others that come and go."""

    def __init__(self, deployment: Deployment, traffic: Traffic) -> None:
        self._deployment = deployment
        self._traffic = traffic
        self.others: set[str] = set()
        """What was submitted in batches, and retries."""
        self.restarts = self.kills = self.watched = 0
        self._address = f"127.0.0.1:{free_port()}"
        self._server = deployment.start_server(address=self._address)
        self._worker = deployment.start_worker("--pool=threads", "--concurrency=8")
        self._victims = [self._a_server(), self._a_prefork_worker()]

    def _a_server(self) -> Process:
        return self._deployment.start_server()

    def _a_prefork_worker(self) -> Process:
        return self._deployment.start_worker("--pool=prefork", "--concurrency=2")

    def run(self, seconds: float) -> list[Sample]:
        """Load for so long; a sample each round."""
        samples = []
        until = time.monotonic() + seconds
        rounds = 0
        with Client(self._address) as client:
            while time.monotonic() < until:
                begun_at = time.monotonic()
                with self._watching(client, self._load(client)):
                    self._disturb(rounds)
                samples.append(self._sample())
                rounds += 1
                time.sleep(max(0.0, begun_at + ROUND_SECONDS - time.monotonic()))
        return samples

    def _load(self, client: Client) -> list[str]:
        """Submit a round's tasks, abort and retry some; the ids of a batch."""
        self._traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.02, "value": "x" * 200})
        self._traffic.submit(ABORTED, "journal.abortable", kwargs=lambda: {"seconds": 1})
        self._traffic.submit(FLAKY, "journal.flaky", kwargs=lambda: {"failures": 1})
        self._traffic.abort(ABORTED)
        handles = client.submit_many([Submission("journal.run") for _ in range(BATCH)])
        ids = [handle.id for handle in handles if isinstance(handle, TaskHandle)]
        assert len(ids) == BATCH
        for task_id in list(self.others)[:RETRIED]:
            handle = client.task(task_id)
            if handle.get().is_final:
                self.others.add(handle.retry().id)
        self.others.update(ids)
        return ids

    @contextmanager
    def _watching(self, client: Client, ids: Sequence[str]) -> Iterator[None]:
        """Meanwhile somebody follows tasks to their ends."""
        seen: set[str] = set()

        def watch() -> None:
            for task in client.watch(ids, timeout=PATIENCE):
                if task.is_final:
                    seen.add(task.id)

        thread = threading.Thread(target=watch)
        thread.start()
        yield
        thread.join(PATIENCE)
        assert seen == set(ids)
        self.watched += len(seen)

    def _disturb(self, number: int) -> None:
        """Restart the other server, or kill the other worker, in turns."""
        server, worker = self._victims
        match number % 4:
            case 1:
                server.stop()
                self._victims[0] = self._a_server()
                self.restarts += 1
            case 2:
                worker.kill()
                self._victims[1] = self._a_prefork_worker()
                self.kills += 1
            case 3:
                server.kill()
                self._victims[0] = self._a_server()
                self.restarts += 1

    def _sample(self) -> Sample:
        with self._deployment.database.read() as tx:
            found = tx.execute(_SIZES).one()
        return Sample(
            server_bytes=memory(self._server.pid),
            worker_bytes=memory(self._worker.pid),
            open_files=_open_files(self._server) + _open_files(self._worker),
            outbox_bytes=float(found.outbox),
            record_bytes_a_task=float(found.record) / max(found.number, 1),
        )


_SIZES = text("""
    SELECT pg_total_relation_size('taskgate_tasks') AS record,
           pg_total_relation_size('taskgate_outbox') AS outbox,
           (SELECT count(*) FROM taskgate_tasks) AS number
""")


def _open_files(process: Process) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def _assert_flat(samples: Sequence[Sample]) -> None:
    third = len(samples) // 3
    for name in ("server_bytes", "worker_bytes", "open_files", "record_bytes_a_task"):
        values = [getattr(sample, name) for sample in samples]
        before = statistics.median(values[third : 2 * third])
        after = statistics.median(values[2 * third :])
        assert after <= GROWTH * before, f"{name} grows from {before:,.0f} to {after:,.0f}"
