"""What a task costs a busy worker: changes of rows, commits, and round trips to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import text

from support.deployment import Deployment
from support.postgres import PostgresServer
from support.records import new_task
from support.redis import RedisServer
from support.waiting import wait_until
from taskgate.store import outbox, submission
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.settings import Settings

TASKS = 400

COPIES = ("zadd", "hset", "zrem", "hdel")
"""What kombu says to Redis to keep a copy of what a worker has taken."""

POOLS = {"prefork": 8, "threads": 20}

_NOTE_CHANGES = """
CREATE TABLE changes (tx BIGINT, operation TEXT, on_table TEXT);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO changes VALUES (txid_current(), tg_op, tg_table_name); RETURN NULL;
END$$;
CREATE TRIGGER note AFTER UPDATE ON taskgate_tasks
    FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note AFTER UPDATE OR INSERT OR DELETE ON taskgate_outbox
    FOR EACH ROW EXECUTE FUNCTION note_change();
"""


@dataclass
class Costs:
    """Of all tasks together."""

    updates: int
    outbox_changes: int
    commits: int
    takes: int
    copies: int
    given_back: int
    """Attempts that could not start in a second, on a machine that stood still."""


@pytest.fixture(scope="module", params=POOLS)
def costs(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
) -> Iterator[Costs]:
    """Costs of tasks that wait when a worker starts."""
    name = f"cost_{request.param}"
    with (
        RedisServer() as redis,
        Deployment(
            tmp_path_factory.mktemp(name),
            broker_url=redis.empty_database(),
            database_url=postgres_server.create_database(name),
        ) as deployment,
    ):
        publish(deployment)
        with deployment.database.write() as tx:
            tx.execute(text(_NOTE_CHANGES))
        client = Redis.from_url(deployment.env["CELERY_BROKER_URL"])
        client.config_resetstat()
        deployment.start_worker(f"--pool={request.param}", f"--concurrency={POOLS[request.param]}")
        wait_until(lambda: succeeded(deployment) == TASKS, 120, "all tasks have run")
        with deployment.database.read() as tx:
            found = tx.execute(
                text(
                    "SELECT count(*) FILTER (WHERE on_table = 'taskgate_tasks'),"
                    " count(*) FILTER (WHERE on_table = 'taskgate_outbox'),"
                    " count(DISTINCT tx), (SELECT count(*) FROM taskgate_attempts) FROM changes"
                )
            ).one()
        calls = client.info("commandstats")
        client.close()
        updates, outbox_changes, commits, given_back = found
        yield Costs(
            updates,
            outbox_changes,
            commits,
            takes=calls["cmdstat_brpop"]["calls"],
            copies=sum(calls.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in COPIES),
            given_back=given_back,
        )
    postgres_server.drop_database(name)


def publish(deployment: Deployment) -> None:
    """Record and publish, as a server does."""
    settings = Settings(
        celery_broker_url=deployment.env["CELERY_BROKER_URL"],
        postgres_url=deployment.env["POSTGRES_URL"],
    )
    tasks = [new_task() for _ in range(TASKS)]
    with deployment.database.write() as tx:
        submission.submit(tx, tasks)
        for task in tasks:
            outbox.put(tx, task.id, 1, timedelta(0))
    with deployment.database.write() as tx:
        taken = outbox.take_due(tx, TASKS)
    with create_app(settings) as app:
        publisher = Publisher(app)
        publisher.publish(taken)
        publisher.close()


def succeeded(deployment: Deployment) -> int:
    with deployment.database.read() as tx:
        done = text("SELECT count(*) FROM taskgate_tasks WHERE state = 'SUCCEEDED'")
        return int(tx.execute(done).scalar_one())


def test_a_task_is_changed_twice_and_its_row_in_the_outbox_is_deleted(costs: Costs) -> None:
    assert costs.updates == 2 * (TASKS + costs.given_back)
    # A row for the next attempt is written, marked when it is published, and deleted.
    assert costs.outbox_changes == TASKS + 3 * costs.given_back


def test_many_share_a_commit(costs: Costs) -> None:
    assert costs.commits < TASKS


def test_a_message_is_taken_in_one_round_trip_and_never_copied(costs: Costs) -> None:
    others = 60  # while nothing comes, each lasts a second; workers talk to each other, too
    assert 0 <= costs.takes - TASKS - costs.given_back < others
    assert costs.copies < others
