"""Workers, leases, task types and groups."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from support.records import HOUR, NOW, PAST, WORKER, submit, submitted_in
from taskgate.store import canvas, sweeping, task_types, transitions, workers
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.workers import Worker


def all_workers(database: Database) -> dict[str, Worker]:
    with database.read() as tx:
        return {worker.id: worker for worker in workers.list_all(tx)}


def start(database: Database, worker_id: str = WORKER, lease: timedelta = HOUR) -> None:
    with database.write() as tx:
        workers.start(tx, worker_id, {"pool": "prefork", "host": "ä\0"}, lease)


def test_a_worker_with_a_lease_lives(database: Database) -> None:
    start(database)
    worker = all_workers(database)[WORKER]
    assert worker.is_alive
    assert worker.details == {"pool": "prefork", "host": "ä\0"}
    assert worker.lease_expires_at > worker.started_at


def test_a_lease_that_ran_out_unnoticed_can_be_renewed(database: Database) -> None:
    start(database, lease=PAST)
    assert not all_workers(database)[WORKER].is_alive
    with database.write() as tx:
        assert workers.renew(tx, WORKER, HOUR)
    assert all_workers(database)[WORKER].is_alive


def test_a_lease_that_was_ended_is_over(database: Database) -> None:
    start(database)
    with database.write() as tx:
        assert workers.stop(tx, WORKER)
        assert not workers.stop(tx, WORKER)
        assert not workers.renew(tx, WORKER, HOUR)
    worker = all_workers(database)[WORKER]
    assert not worker.is_alive
    assert worker.stopped_at


def test_the_lease_of_an_unknown_worker_cannot_be_renewed(database: Database) -> None:
    with database.write() as tx:
        assert not workers.renew(tx, WORKER, HOUR)


def test_a_worker_found_dead_can_neither_renew_nor_claim(database: Database) -> None:
    start(database, lease=PAST)
    start(database, "living")
    with database.write() as tx:
        task_id = submit(tx)
        assert sweeping.end_lost_leases(tx) == [WORKER]
        assert not workers.renew(tx, WORKER, HOUR)
        assert transitions.claim(tx, task_id, 1, WORKER) is None
        assert transitions.claim(tx, task_id, 1, "living")
    assert all_workers(database)[WORKER].lost_at


def test_a_stopped_worker_claims_nothing_but_finishes_what_it_has(database: Database) -> None:
    start(database)
    with database.write() as tx:
        running = submitted_in(tx, State.RUNNING)
        workers.stop(tx, WORKER)
        assert transitions.claim(tx, submit(tx), 1, WORKER) is None
        assert transitions.succeed(tx, running, 1, "3")


def test_what_a_worker_runs_by_the_record(database: Database) -> None:
    with database.write() as tx:
        running = submitted_in(tx, State.RUNNING)
        aborting = submitted_in(tx, State.ABORTING)
        forced = submitted_in(tx, State.RUNNING)
        transitions.request_abort(tx, forced, by="", reason="", force_after=NOW)
        later = submitted_in(tx, State.RUNNING)
        transitions.request_abort(tx, later, by="", reason="", force_after=HOUR)
        submitted_in(tx, State.SUCCEEDED)
        transitions.claim(tx, submit(tx), 1, "another worker")
    with database.read() as tx:
        active = {attempt.task_id: attempt for attempt in workers.active_attempts(tx, WORKER)}
    assert set(active) == {running, aborting, forced, later}
    assert {attempt.attempt for attempt in active.values()} == {1}
    assert active[running].state is State.RUNNING
    assert active[aborting].state is State.ABORTING
    assert {task_id for task_id, a in active.items() if a.force_at} == {forced, later}
    assert {task_id for task_id, a in active.items() if a.force_is_due} == {forced}


def test_workers_that_ended_long_ago_are_forgotten(database: Database) -> None:
    start(database, "stopped")
    start(database, "lost", lease=PAST)
    start(database, "living")
    with database.write() as tx:
        workers.stop(tx, "stopped")
        sweeping.end_lost_leases(tx)
        assert workers.forget_stopped(tx, HOUR) == 0
        assert workers.forget_stopped(tx, PAST) == 2
    assert set(all_workers(database)) == {"living"}


def test_a_changed_task_type_is_a_new_revision(database: Database) -> None:
    first, second = {"doc": "Adds.", "parameters": ["x"]}, {"doc": "Adds.", "parameters": ["y"]}
    with database.write() as tx:
        assert task_types.register(tx, "demo.add", first, "one") is None
        assert task_types.register(tx, "demo.add", dict(reversed(first.items())), "two") is None
        unchanged = task_types.by_name(tx)["demo.add"]
        assert task_types.register(tx, "demo.add", second, "three") == first
        changed = task_types.by_name(tx)["demo.add"]
    assert (unchanged.revision, unchanged.registered_by) == (1, "one")
    assert (changed.revision, changed.registered_by) == (2, "three")
    assert changed.definition == second


def test_task_types_come_in_the_order_of_their_names(database: Database) -> None:
    with database.write() as tx:
        for name in ("b", "a", "c"):
            task_types.register(tx, name, {}, WORKER)
        assert list(task_types.by_name(tx)) == ["a", "b", "c"]


def test_workers_that_register_one_type_at_once_take_turns(database: Database) -> None:
    together = threading.Barrier(4)

    def register(number: int) -> None:
        together.wait(timeout=30)
        for _ in range(10):
            with database.write() as tx:
                task_types.register(tx, "demo.add", {"doc": str(number)}, str(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(register, range(4)))
    with database.read() as tx:
        task_type = task_types.by_name(tx)["demo.add"]
    assert task_type.definition == {"doc": task_type.registered_by}
    assert 4 <= task_type.revision <= 40


def test_a_saved_group_is_restored_replaced_and_removed(database: Database) -> None:
    with database.write() as tx:
        assert canvas.restore_group(tx, "g") is None
        canvas.save_group(tx, "g", '["a"]')
        canvas.save_group(tx, "g", '["b"]')
        assert canvas.restore_group(tx, "g") == '["b"]'
        canvas.remove_group(tx, "g")
        assert canvas.restore_group(tx, "g") is None
