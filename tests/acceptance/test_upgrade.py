"""Versions beside each other: present programs on the tables that a later version has upgraded."""

from __future__ import annotations

import json

from sqlalchemy import Connection, column, table, text, update

from support.deployment import Deployment
from taskgate.client import Client, State
from taskgate.store.database import schema
from taskgate.store.tables import schema as schema_table


def upgrade_to_a_later_version(tx: Connection) -> None:
    """What a migration may do while programs of the version before run: add."""
    tx.execute(text("ALTER TABLE taskgate_tasks ADD COLUMN later VARCHAR(9) DEFAULT 'x' NOT NULL"))
    tx.execute(text("ALTER TABLE taskgate_outbox ADD COLUMN later INTEGER"))
    tx.execute(text("CREATE TABLE taskgate_later (id INTEGER PRIMARY KEY)"))
    tx.execute(
        update(table(schema.VERSION_TABLE, column("version_num"))).values(version_num="9999")
    )
    tx.execute(update(schema_table).values(usable_from=schema.needed_revision()))


def record_as_a_later_version(tx: Connection, task_id: str) -> None:
    policy = json.dumps({"max_attempts": 2, "later": [1]})
    statement = "UPDATE taskgate_tasks SET state = 'LATER', retry_policy = :policy WHERE id = :id"
    tx.execute(text(statement), {"policy": policy, "id": task_id})


def check_life(client: Client) -> None:
    """Submit, wait, abort and retry."""
    done = client.submit("journal.run", kwargs={"value": 1})
    assert done.wait(60).state is State.SUCCEEDED
    endless = client.submit("journal.abortable", [60])
    endless.abort()
    assert endless.wait(60).state is State.ABORTED
    assert client.task(done.id).retry().wait(60).result == 1


def test_programs_work_before_and_after_a_later_versions_upgrade(
    own_deployment: Deployment,
) -> None:
    client = own_deployment.client()
    with own_deployment.start_server(), own_deployment.start_worker():
        check_life(client)
        with own_deployment.database.write() as tx:
            upgrade_to_a_later_version(tx)
        check_life(client)
    with own_deployment.start_server() as server, own_deployment.start_worker():
        check_life(client)
    assert "a newer taskgate's, at revision 9999" in server.output


def test_what_only_a_later_version_knows_is_read_past(own_deployment: Deployment) -> None:
    client = own_deployment.client()
    with own_deployment.start_server(), own_deployment.start_worker():
        strange = client.submit("journal.run", kwargs={"value": 2})
        strange.wait(60)
        with own_deployment.database.write() as tx:
            record_as_a_later_version(tx, strange.id)
        assert strange.get().kwargs == {"value": 2}
        assert strange.id in {task.id for task in client.list(task_types=["journal.run"])}
        check_life(client)
    with own_deployment.database.read() as tx:
        state = tx.execute(
            text("SELECT state FROM taskgate_tasks WHERE id = :id"), {"id": strange.id}
        )
        assert state.scalar_one() == "LATER"
