"""A worker that takes quick tasks ahead, and then a long one comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import history
from support.deployment import Deployment
from support.invariants import check, wait_until_final
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.v1.task_service_pb2 import AbortRequest, GetRequest

QUICK = 200


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_the_quick_ones_behind_it_run_elsewhere(
    pool: str, tmp_path: Path, make_engines: Callable[..., Any]
) -> None:
    with (
        make_engines("redis+postgresql") as engines,
        Deployment(
            tmp_path, broker_url=engines.broker.url, database_url=engines.database_url
        ) as deployment,
        traffic_to(deployment) as traffic,
    ):
        history.write_history(deployment.database)
        deployment.start_server()
        deployment.start_worker(f"--pool={pool}", "--concurrency=1")
        traffic.submit(QUICK)
        ids = [submission.task_id for submission in traffic.wait()]
        wait_until_final(deployment, ids, 60)  # from now on it looks ahead
        traffic.submit(1, "journal.abortable", kwargs=lambda: {"seconds": 600})
        [*_, long] = [submission.task_id for submission in traffic.wait()]
        wait_until(lambda: len(deployment.journal.of(long)) == 1, 30, "the long one runs")
        traffic.submit(QUICK)
        quick = [s.task_id for s in traffic.wait() if s.task_id != long]
        deployment.start_worker("--pool=threads", "--concurrency=2")
        ended = deployment.journal.count
        wait_until(lambda: set(quick) <= set(ended("end")), 60, "the quick ones ran")
        stub = deployment.stub()
        assert stub.Get(GetRequest(id=long), timeout=20).task.attempt == 1
        stub.Abort(AbortRequest(id=long), timeout=20)
        wait_until_final(deployment, [*quick, long], 60)
        evidence = check(deployment, traffic.wait())
        assert evidence.states == {State.SUCCEEDED: 2 * QUICK, State.ABORTED: 1}
        assert evidence.run_twice == 0
