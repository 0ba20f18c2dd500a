"""The hot statements search an index, in a record large enough that it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    Connection,
    Insert,
    String,
    Table,
    cast,
    insert,
    literal,
    select,
    true,
    update,
)

from support.postgres import PostgresServer
from support.records import (
    FAILURE,
    HOUR,
    NOW,
    new_task,
    recorded_statements,
    submitted_in,
    upgraded,
)
from taskgate.store import (
    canvas,
    chords,
    event,
    events,
    listing,
    mirror,
    operations,
    outbox,
    pauses,
    queries,
    submission,
    sweeping,
    task_types,
    transitions,
    workers,
)
from taskgate.store.database.engine import Database
from taskgate.store.event import BEGINNING, Position
from taskgate.store.lifecycle import Outcome, State
from taskgate.store.outbox import Subqueue
from taskgate.store.pauses import Kind, Target
from taskgate.store.tables import attempts, labels, metadata, tasks
from taskgate.store.tables import logs as logs_table
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.transitions import Success

FEW = 300
WORKERS = 50

Plan = list[str]


def fill(database: Database) -> None:
    """A record of some age: mostly tasks that ended, few that run, some that wait."""
    with database.write() as tx:
        for state in (State.RUNNING, State.QUEUED, State.RETRYING):
            task_ids = [submitted_in(tx, state, queue=f"queue {n % 20}") for n in range(FEW)]
            for number in range(0, FEW, 10):
                chords.save(tx, f"chord {state} {number}", "{}", "celery", task_ids[number:][:10])
            for number, task_id in enumerate(task_ids):
                worker = f"worker {number % WORKERS}"
                tx.execute(update(tasks).where(tasks.c.id == task_id).values(worker=worker))
        submission.submit(tx, [new_task(delay=HOUR, ttl=HOUR) for _ in range(10 * FEW)])
        ended = [
            new_task(
                request_id=f"r{number}",
                submitted_by="me",
                task_type=f"demo.{number % 20}",
                queue=f"queue {number % 20}",
                labels={"team": f"{number % 20}"},
            )
            for number in range(20 * FEW)
        ]
        submission.submit(tx, ended)
        tx.execute(
            update(tasks)
            .where(tasks.c.request_id.is_not(None))
            .values(state=State.SUCCEEDED, finished_at=tasks.c.created_at)
        )
        outbox.remove(tx, [new.id for new in ended])
        tx.execute(insert(attempts), [past_attempt(new.id) for new in ended])
        logged = {"attempt": 1, "dropped": 0, "lines": "[]"}
        tx.execute(insert(logs_table), [{**logged, "task_id": new.id} for new in ended])
        for new in ended:
            call = events.Call(new.id, new.task_type, new.queue, "Abort", "me", "")
            events.record(tx, call)
        for new in ended[::4]:
            canvas.save_group(tx, new.id, "[]")


def pause(database: Database) -> None:
    """Of two queues; one was resumed, and what it held has yet to be released."""
    with database.write() as tx:
        for name in ("queue 18", "queue 19"):
            pauses.pause(tx, Target(Kind.QUEUE, name), by="", reason="")
            is_it = outbox_table.c.queue == name
            tx.execute(update(outbox_table).where(is_it).values(held_by=f"queue:{name}"))
        pauses.resume(tx, Target(Kind.QUEUE, "queue 18"))


def past_attempt(task_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"task_id": task_id, "number": 1, "ended_at": now, "outcome": Outcome.LOST}


def enlarge(database: Database) -> None:
    """As after a month: 1,000,000 tasks that ended, and 100,000 that wait."""
    with database.write() as tx:
        for state, copies in ((State.QUEUED, 100_000 // FEW), (State.SUCCEEDED, 50_000 // FEW)):
            for table in (labels, outbox_table, tasks):
                tx.execute(copy_rows(table, state, copies))


def copy_rows(table: Table, state: State, copies: int) -> Insert:
    """Add copies of each of the table's rows of tasks in the state."""
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1).where(first.c.n < copies))
    keys = {"id", "task_id", "root_id", "request_id"}
    suffix = literal("-").concat(cast(numbers.c.n, String))
    columns = [one.concat(suffix) if one.name in keys else one for one in table.c]
    task_id = table.c.id if table is tasks else table.c.task_id
    of_state = select(tasks.c.id).where(tasks.c.state == state)
    rows = select(*columns).join_from(table, numbers, true()).where(task_id.in_(of_state))
    return insert(table).from_select(list(table.c.keys()), rows)


def analyze(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


LARGE = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        "postgresql",
        pytest.param("large sqlite", marks=LARGE),
        pytest.param("large postgresql", marks=LARGE),
    ],
)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if "sqlite" in request.param:
        url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'record.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database(request.param)
    database = upgraded(url)
    fill(database)
    if "large" in request.param:
        enlarge(database)
    pause(database)
    analyze(database)
    yield database
    database.close()


def plans_of(database: Database, call: Callable[[Connection], object]) -> list[Plan]:
    """Each statement of a call on the record, and how the database carries it out."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    plans: list[Plan] = []
    with database.engine.connect() as tx:
        with recorded_statements(database) as statements:
            call(tx)
        for statement, parameters in statements:
            if "taskgate_" in statement:
                rows = tx.exec_driver_sql(explain + statement, parameters)
                plans.append([statement, *(str(row[-1]) for row in rows)])
        tx.rollback()
    return plans


READ_IN_ORDER = (
    "ix_taskgate_tasks_active",
    "ix_taskgate_outbox_due",
    "ix_taskgate_outbox_unclaimed",
)
"""Indexes that may be read from their beginning: short ones, and such as a limit ends."""


def reads_a_whole_table(step: str) -> bool:
    if step.startswith("SCAN taskgate_"):  # SQLite
        return not any(index in step for index in READ_IN_ORDER)
    return "Seq Scan on taskgate_" in step


def searches(plans: list[Plan], index: str, column: str) -> bool:
    """Whether an index is searched by a column, rather than read from end to end."""
    steps = [step for _statement, *steps in plans for step in steps]
    if any(f"{index} (" in step and f"{column}" in step for step in steps):  # SQLite
        return True
    used = any(index in step for step in steps)
    return used and any("Index Cond:" in step and column in step for step in steps)


LATER = datetime(2999, 1, 1, tzinfo=UTC)


def _of_late() -> Position:
    return Position.before(datetime.now(UTC))


ADOPTED = {"task_type": "demo.add", "state": State.QUEUED, "queue": "celery", "arguments": "{}"}

CALLS: dict[str, tuple[Callable[[Connection, str], object], tuple[str, str] | None]] = {
    "claim": (lambda tx, queued: transitions.claim(tx, queued, 1, "worker 1"), None),
    "succeed": (lambda tx, queued: transitions.succeed(tx, queued, 1, "3"), None),
    "back_off": (
        lambda tx, queued: transitions.back_off(tx, queued, 1, FAILURE, delay=NOW, retries=1),
        None,
    ),
    "abort": (lambda tx, queued: transitions.request_abort(tx, queued, by="", reason=""), None),
    "get": (queries.get, None),
    "short id": (lambda tx, queued: queries.ids_beginning_with(tx, queued[:18], 100), None),
    "newer": (lambda tx, queued: queries.newer(tx, {queued: 1, "other": 1}), None),
    "versions": (lambda tx, queued: queries.versions(tx, [queued, "other"]), None),
    "submit": (
        lambda tx, _: submission.submit(tx, [new_task(request_id="r1", submitted_by="me")]),
        ("uq_taskgate_tasks_request", "request_id"),
    ),
    "submit many": (
        lambda tx, _: submission.submit(
            tx, [new_task(request_id=f"r{n}", submitted_by="me") for n in range(100)]
        ),
        ("uq_taskgate_tasks_request", "request_id"),
    ),
    "take_due": (
        lambda tx, _: outbox.take_due(tx, 10),
        ("ix_taskgate_outbox_due", "publish_at"),
    ),
    "claim many": (
        lambda tx, queued: transitions.claim_many(
            tx, [(queued, 1), *((f"other {n}", 1) for n in range(50))], "worker 1"
        ),
        None,
    ),
    "succeed many": (
        lambda tx, queued: transitions.succeed_many(
            tx, [Success(queued, 1, "3"), *(Success(f"other {n}", 1, "3") for n in range(50))]
        ),
        None,
    ),
    "release": (lambda tx, queued: outbox.release(tx, [queries.get(tx, queued)]), None),
    "overdue subqueues": (
        lambda tx, _: outbox.overdue_subqueues(tx),
        ("ix_taskgate_outbox_unclaimed", "queue"),
    ),
    "lost messages": (
        lambda tx, _: outbox.republish_lost(
            tx, Subqueue("queue 1", 4), queue_is_empty=True, limit=100
        ),
        ("ix_taskgate_outbox_unclaimed", "published_at"),
    ),
    "count": (
        lambda tx, _: outbox.count(tx, "queue 1", 1_000),
        ("ix_taskgate_outbox_unclaimed", "queue"),
    ),
    "look": (lambda tx, _: outbox.look(tx), None),
    "hold claimed": (lambda tx, queued: pauses.hold_claimed(tx, [(queued, 1)]), None),
    "hold due": (lambda tx, _: pauses.hold_due(tx, 100), ("ix_taskgate_outbox_due", "publish_at")),
    "release what was held": (
        lambda tx, _: pauses.release(tx, 100),
        ("ix_taskgate_outbox_held", "held_by"),
    ),
    "due operations": (lambda tx, _: operations.seconds_until_due(tx), None),
    "take an operation": (lambda tx, _: operations.take(tx), None),
    "abort many": (
        lambda tx, queued: transitions.abort_many(tx, [queued, "other"], by="", reason=""),
        None,
    ),
    "delete many": (lambda tx, queued: sweeping.delete_many(tx, [queued, "other"]), None),
    "count what fits": (
        lambda tx, _: listing.count(tx, listing.Filter(queues=frozenset({"queue 1"})), 1_000),
        ("ix_taskgate_tasks_by_queue", "queue"),
    ),
    "active attempts of a worker": (
        lambda tx, _: workers.active_attempts(tx, "worker 1"),
        ("ix_taskgate_tasks_active", "worker"),
    ),
    "expiring": (
        lambda tx, _: sweeping.expire_overdue(tx, 100),
        ("ix_taskgate_tasks_expiring", "expires_at"),
    ),
    "retention": (
        lambda tx, _: sweeping.delete_final(tx, HOUR, 100),
        ("ix_taskgate_tasks_finished", "finished_at"),
    ),
    "orphans": (lambda tx, _: sweeping.orphans(tx, 100), None),
    "fail": (lambda tx, queued: transitions.fail(tx, queued, 1, FAILURE), None),
    "stop": (lambda tx, queued: transitions.stop(tx, queued, 1), None),
    "refuse": (lambda tx, queued: transitions.refuse(tx, queued, 1, FAILURE), None),
    "give_back": (lambda tx, queued: transitions.give_back(tx, queued, 1), None),
    "lose": (
        lambda tx, queued: transitions.lose(tx, queued, 1, FAILURE, max_losses=3),
        None,
    ),
    "report": (lambda tx, queued: transitions.report(tx, queued, 1, "{}"), None),
    "expire": (transitions.expire, None),
    "adopt": (
        lambda tx, queued: submission.adopt(tx, ADOPTED | {"id": queued}),
        None,
    ),
    "find repeated": (
        lambda tx, _: submission.find_repeated(
            tx, [new_task(request_id=f"r{n}", submitted_by="me") for n in range(100)]
        ),
        ("uq_taskgate_tasks_request", "request_id"),
    ),
    "unlock a chord": (lambda tx, _: chords.unlock(tx, "chord 1", "unlock"), None),
    "ready chords": (lambda tx, _: chords.ready(tx, 100), None),
    "chords that are done": (lambda tx, _: chords.delete_done(tx, 100), None),
    "old chords": (lambda tx, _: chords.delete_old(tx, HOUR, 100), None),
    "old groups": (
        lambda tx, _: canvas.delete_old_groups(tx, HOUR),
        ("ix_taskgate_groups_created_at", "created_at"),
    ),
    "may go on": (lambda tx, queued: queries.may_go_on(tx, queued, 1), None),
    "message": (canvas.message, None),
    "set message": (lambda tx, queued: canvas.set_message(tx, queued, "{}"), None),
    "remove group": (canvas.remove_group, None),
    "forget": (sweeping.forget, None),
    "delete": (lambda tx, queued: sweeping.delete_records(tx, [queued, "other"]), None),
    "active counts": (lambda tx, _: workers.active_counts(tx), None),
    "lost leases": (lambda tx, _: sweeping.end_lost_leases(tx), None),
    "task types": (lambda tx, _: task_types.by_name(tx), None),
    "ended since": (
        lambda tx, _: mirror.ended_since(tx, datetime.now(UTC), 100),
        ("ix_taskgate_tasks_finished", "finished_at"),
    ),
    "events": (
        lambda tx, _: events.following(tx, BEGINNING, LATER, 100),
        ("ix_taskgate_tasks_by_time", "created_at"),
    ),
    "events of late": (
        lambda tx, _: events.following(tx, _of_late(), LATER, 100, [event.Kind.ENDED]),
        ("ix_taskgate_tasks_finished", "finished_at"),
    ),
    "attempts' events": (
        lambda tx, _: events.following(
            tx,
            Position.before(datetime.now(UTC)),
            datetime.now(UTC),
            100,
            [event.Kind.ATTEMPT_ENDED],
        ),
        ("ix_taskgate_attempts_ended_at", "ended_at"),
    ),
    "events of a task": (
        lambda tx, queued: events.of_task(tx, queued, BEGINNING, LATER, 100),
        None,
    ),
    "types on record": (
        lambda tx, _: listing.task_types(tx),
        ("ix_taskgate_tasks_by_task_type", "task_type"),
    ),
    "queues on record": (
        lambda tx, _: listing.queues(tx),
        ("ix_taskgate_tasks_by_queue", "queue"),
    ),
    "started": (lambda tx, _: mirror.started(tx, 100), None),
}


LISTS = {
    "by_time": listing.Filter(),
    "by_state": listing.Filter(states=frozenset({State.RUNNING, State.QUEUED})),
    "by_task_type": listing.Filter(task_types=frozenset({"demo.1", "demo.2"})),
    "by_queue": listing.Filter(queues=frozenset({"queue 1"})),
    "by_root_id": listing.Filter(root_ids=frozenset({"root"})),
    "labels_by_value": listing.Filter(labels={"team": "1"}),
}


@pytest.mark.parametrize("view", [listing.page, listing.basic_page])
@pytest.mark.parametrize("index", LISTS)
def test_a_page_of_a_list_is_read_from_an_index(
    filled: Database, index: str, view: Callable[..., object]
) -> None:
    for after in (None, listing.Position(datetime.now(UTC), "id")):
        call = partial(view, wanted=LISTS[index], after=after, limit=50)
        [[_statement, *steps], *_] = plans_of(filled, call)
        assert any(f"ix_taskgate_{index}" in s or f"ix_taskgate_tasks_{index}" in s for s in steps)
        assert not any("Seq Scan on taskgate_" in step for step in steps), steps


@pytest.mark.parametrize("name", CALLS)
def test_a_hot_statement_reads_no_whole_table(filled: Database, name: str) -> None:
    call, searched = CALLS[name]
    with filled.write() as tx:
        queued = submitted_in(tx, State.QUEUED)
    plans = plans_of(filled, lambda tx: call(tx, queued))
    # Few rows, read whole at little cost.
    small = {"taskgate_workers", "taskgate_task_types", "taskgate_chords"}
    small |= {"taskgate_pauses", "taskgate_operations"}
    for statement, *steps in plans:
        whole = [s for s in steps if reads_a_whole_table(s) and not any(t in s for t in small)]
        assert not whole, f"{statement}\n{steps}"
    assert searched is None or searches(plans, *searched), plans


def test_the_plans_are_those_of_our_tables(filled: Database) -> None:
    # A plan that no test could fail would be worth nothing.
    table = metadata.tables["taskgate_tasks"]
    [[_, *steps]] = plans_of(filled, lambda tx: tx.execute(table.select()).close())
    assert any(reads_a_whole_table(step) for step in steps)
