"""PgBouncer in transaction mode (gevent#1652 and many): no startup options, no session settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.deployment import Deployment
from support.mirrors import reader_of
from support.pgbouncer import PgBouncer
from support.postgres import PostgresServer
from support.waiting import wait_until

TASKS = 40


@pytest.mark.parametrize("broker", ["redis", "sqla"])
def test_record_mirror_and_broker_work_behind_pgbouncer(
    broker: str, tmp_path: Path, postgres_server: PostgresServer, redis_url: str
) -> None:
    name = f"pgbouncer_{broker}"
    postgres_server.create_database(name)
    with PgBouncer(postgres_server) as bouncer:
        url = bouncer.url(name)
        broker_url = redis_url if broker == "redis" else f"sqla+{url}"
        env = {"CELERY_RESULT_BACKEND": f"db+{url}"}
        with Deployment(tmp_path, broker_url=broker_url, database_url=url, env=env) as deployment:
            deployment.start_worker("--concurrency=4")
            deployment.start_server()
            runs_tasks(deployment)
            mirrors_results(deployment, f"db+{postgres_server.url(name)}")
            assert "problem" not in deployment.run("taskgate", "doctor", "--json")
        assert not [log for log in deployment.log_tails() if "Traceback" in log[1]]
    postgres_server.drop_database(name)


def runs_tasks(deployment: Deployment) -> None:
    client = deployment.client()
    handles = [client.submit("journal.run", [0.01, n]) for n in range(TASKS)]
    assert [handle.result(timeout=60) for handle in handles] == list(range(TASKS))
    flaky = client.submit("journal.flaky", [1])
    assert flaky.result(timeout=60) == 1
    aborted = client.submit("journal.abortable", [60])
    aborted.abort()
    wait_until(lambda: aborted.get().is_final, 30, "the abort")
    assert client.submit("demo.add", [1, 2], delay=0.5).result(timeout=60) == 3


def mirrors_results(deployment: Deployment, mirror_url: str) -> None:
    handle = deployment.client().submit("demo.add", [2, 2])
    reader = reader_of(mirror_url)
    assert reader.AsyncResult(handle.id).get(timeout=30) == 4
    reader.close()
