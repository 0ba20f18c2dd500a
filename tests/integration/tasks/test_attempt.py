"""One attempt: what it reports and how it ends, in the record."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest

from support.records import WORKER, read, submit, upgraded
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.database.engine import SQLITE_BUSY_SECONDS
from taskgate.store.lifecycle import State
from taskgate.tasks.attempt import Attempt
from taskgate.tasks.recording import Recorder


@pytest.mark.parametrize("held", range(20))
def test_an_end_does_not_wait_for_a_report_that_waits_for_it(database_url: str, held: int) -> None:
    database = upgraded(database_url)
    recorder = Recorder(SimpleNamespace(tasks={}), database)
    with database.write() as tx:
        task_id = submit(tx)
        claim = transitions.claim(tx, task_id, 1, WORKER)
    attempt = Attempt(recorder, task_id, claimed=claim)
    with database.write() as tx:
        submit(tx)  # on SQLite the report waits for this transaction
        attempt.report("PROGRESS", {"current": 1})
        wait_until(lambda: not recorder.progress._latest or held % 2 == 0, 10)
        ending = threading.Thread(target=attempt.succeed, args=("3", []))
        ending.start()
    ending.join(SQLITE_BUSY_SECONDS - 10)
    assert not ending.is_alive()
    task = read(database, task_id)
    assert (task.state, task.result) == (State.SUCCEEDED, "3")
    assert json.loads(task.progress or "null") == {"state": "PROGRESS", "meta": {"current": 1}}
    database.close()
