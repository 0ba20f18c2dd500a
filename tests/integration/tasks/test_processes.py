"""Pool processes that die, that are ended, and that take too long: prefork only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from support.celery_system import System, failure_of
from support.processes import descendants
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.lifecycle import Outcome, Reason, State
from taskgate.store.record import RetryPolicy

pytestmark = pytest.mark.parametrize(
    "system", ["sqla+sqlite-prefork", "redis+postgresql-prefork"], indirect=True
)


def test_a_task_that_kills_its_process_is_tried_as_often_as_is_allowed(system: System) -> None:
    task = system.wait_final(system.submit("journal.fatal"), timeout=60)

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.WORKER_LOST)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.LOST] * 4
    assert system.journal.words(task.id) == ["start"] * 4
    assert system.app.signature("demo.add", (1, 2)).delay().get(timeout=30) == 3


IDLE_SECONDS = 0.3


def wait_until_idle(pids: Sequence[int]) -> None:
    """Return once all of the processes sleep, and none has been woken for a while.

    A task's end is on record a moment before its process has told the main process, through a pipe
    that all share: who dies within that moment leaves half a message in it.
    """
    last, since = "", time.monotonic()

    def are_idle() -> bool:
        nonlocal last, since
        states, switches = zip(*map(_state_and_switches, pids), strict=True)
        woken = "".join(switches)
        if woken != last or "R" in states:  # on a busy machine one may wait long for its turn
            last, since = woken, time.monotonic()
        return time.monotonic() - since > IDLE_SECONDS

    wait_until(are_idle, 30, "the processes are idle")


def _state_and_switches(pid: int) -> tuple[str, str]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return "", ""
    state = status.partition("State:")[2].lstrip()[0]
    return state, status[status.index("voluntary_ctxt_switches") :]


def test_all_idle_processes_are_killed(system: System) -> None:
    for number in range(3):
        assert system.app.signature("demo.add", (number, 1)).delay().get(timeout=30) == number + 1
        children = descendants(system.worker.pid)
        wait_until_idle(children)
        for child in children:
            os.kill(child, signal.SIGKILL)
    assert system.app.signature("demo.add", (1, 2)).delay().get(timeout=30) == 3
    assert system.worker.exit_code is None


def test_at_most_once(system: System) -> None:
    task = system.wait_final(system.submit("journal.fatal_once"))

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.WORKER_LOST)
    assert system.journal.words(task.id) == ["start"]


def test_another_producers_task_survives_its_process(system: System) -> None:
    result = system.app.signature("features.dies_once").delay()

    assert result.get(timeout=30) == 2
    assert system.task(result.id).attempts[0].outcome is Outcome.LOST


def test_time_limit(system: System) -> None:
    task_id = system.submit("journal.run", 60, run_timeout=timedelta(seconds=1))

    task = system.wait_final(task_id)

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.TIMED_OUT)
    assert system.journal.words(task.id) == ["start"]


def test_time_limit_with_a_retry_policy(system: System) -> None:
    policy = RetryPolicy(max_attempts=2, initial_backoff=0.1)
    limit = timedelta(seconds=1)

    task = system.wait_final(
        system.submit("journal.run", 60, run_timeout=limit, retry_policy=policy)
    )

    # On a busy machine an attempt that could not start within a second was given back.
    given_back = sum(one.outcome is Outcome.RETURNED for one in task.past_attempts)
    assert (failure_of(task).reason, task.attempt - given_back) == (Reason.TIMED_OUT, 2)


def test_forced_abort_ends_the_process(system: System) -> None:
    task_id = system.submit("journal.run", 600)
    wait_until(lambda: system.journal.words(task_id) == ["start"], 30)

    with system.deployment.database.write() as tx:
        transitions.request_abort(
            tx, task_id, by="me", reason="enough", force_after=timedelta(seconds=1)
        )

    task = system.wait_final(task_id, timeout=20)
    assert task.state is State.ABORTED
    assert system.journal.words(task_id) == ["start"]
    assert system.app.signature("demo.add", (1, 2)).delay().get(timeout=30) == 3


def test_a_forced_abort_that_is_not_needed(system: System) -> None:
    task_id = system.submit("journal.abortable", 600)
    wait_until(lambda: system.journal.words(task_id) == ["start"], 30)

    with system.deployment.database.write() as tx:
        transitions.request_abort(tx, task_id, by="", reason="", force_after=timedelta(seconds=30))

    assert system.wait_final(task_id, timeout=20).state is State.ABORTED
    assert system.journal.words(task_id) == ["start", "saw-abort"]


def test_cold_shutdown_gives_its_tasks_back(system: System) -> None:
    worker = system.start_worker("--pool=prefork", "--queues=cold", "--concurrency=1")
    task_id = system.submit("journal.run", 600, queue="cold")
    wait_until(lambda: system.journal.words(task_id) == ["start"], 60)

    os.kill(worker.pid, signal.SIGQUIT)

    assert worker.wait(30) == 0
    task = system.task(task_id)
    assert (task.state, task.attempt) == (State.QUEUED, 2)
    assert task.attempts[0].outcome is Outcome.RETURNED
