"""Lists: the newest first, page by page, whatever comes and goes in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from support.records import HOUR, new_task, read, submit, submitted_in
from taskgate.store import listing, queries, submission, sweeping
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.listing import Filter, Position
from taskgate.store.record import Task
from taskgate.store.tables import labels, tasks


def fill(database: Database) -> list[Task]:
    """Tasks of every kind, some made at the same moment; the newest first."""
    dice = random.Random(1)
    task_ids = []
    for _ in range(12):
        with database.write() as tx:
            batch = [
                new_task(
                    task_type=dice.choice(["demo.add", "demo.echo"]),
                    queue=dice.choice(["celery", "other", "third"]),
                    labels={name: dice.choice("xy") for name in dice.sample("abc", 2)},
                    delay=dice.choice([None, HOUR]),
                    root_id=dice.choice([None, "root"]),
                )
                for _ in range(5)
            ]
            submission.submit(tx, batch)
            task_ids += [new.id for new in batch]
            task_ids.append(submitted_in(tx, State.FAILED, labels={"a": "x"}))
    made = [read(database, task_id) for task_id in task_ids]
    return sorted(made, key=lambda task: (task.created_at, task.id), reverse=True)


def pages(database: Database, wanted: Filter, size: int) -> list[Task]:
    found: list[Task] = []
    after: Position | None = None
    while True:
        with database.read() as tx:
            page = listing.page(tx, wanted, after, size)
        assert len(page.tasks) <= size
        found += page.tasks
        if page.next is None:
            return found
        after = page.next


FILTERS: dict[str, tuple[Filter, Callable[[Task], bool]]] = {
    "all": (Filter(), lambda _: True),
    "one state": (Filter(states=frozenset({State.FAILED})), lambda t: t.state is State.FAILED),
    "states": (
        Filter(states=frozenset({State.SCHEDULED, State.SUCCEEDED, State.FAILED})),
        lambda t: t.state in {State.SCHEDULED, State.FAILED},
    ),
    "type": (
        Filter(task_types=frozenset({"demo.echo", "none"})),
        lambda t: t.task_type == "demo.echo",
    ),
    "queues": (
        Filter(queues=frozenset({"celery", "third"})),
        lambda t: t.queue in {"celery", "third"},
    ),
    "label": (Filter(labels={"b": "y"}), lambda t: t.labels.get("b") == "y"),
    "labels": (
        Filter(labels={"a": "x", "c": "y"}),
        lambda t: (t.labels.get("a"), t.labels.get("c")) == ("x", "y"),
    ),
    "root": (Filter(root_ids=frozenset({"root"})), lambda t: t.root_id == "root"),
    "several": (
        Filter(states=frozenset({State.QUEUED}), queues=frozenset({"other"}), labels={"a": "x"}),
        lambda t: (t.state, t.queue, t.labels.get("a")) == (State.QUEUED, "other", "x"),
    ),
    "none": (Filter(root_ids=frozenset({"unknown"})), lambda _: False),
}


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize("name", FILTERS)
def test_the_pages_together_are_what_was_asked_for(
    database: Database, name: str, size: int
) -> None:
    wanted, fits = FILTERS[name]
    made = fill(database)
    assert pages(database, wanted, size) == [task for task in made if fits(task)]


def test_a_range_of_times_includes_its_beginning_only(database: Database) -> None:
    made = fill(database)
    for wanted in (Filter(), Filter(labels={"a": "x"}), Filter(queues=frozenset({"celery"}))):
        everything = pages(database, wanted, 10)
        first, last = made[40].created_at, made[10].created_at
        ranged = Filter(
            queues=wanted.queues, labels=wanted.labels, created_from=first, created_before=last
        )
        assert pages(database, ranged, 10) == [
            task for task in everything if first <= task.created_at < last
        ]


def test_nothing_is_skipped_or_told_twice_while_tasks_come_and_go(database: Database) -> None:
    made = fill(database)
    found: list[str] = []
    after: Position | None = None
    while len(found) < len(made):
        with database.read() as tx:
            page = listing.page(tx, Filter(), after, 5)
        found += [task.id for task in page.tasks]
        after = page.next
        with database.write() as tx:
            submit(tx)
            sweeping.delete_records(tx, [found[-1]])
    assert found == [task.id for task in made]


def test_a_page_of_large_tasks_is_a_short_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fill(database)
    monkeypatch.setattr(listing, "MOST_CHARACTERS", 3 * len(made[0].arguments) + 10)
    with database.read() as tx:
        first = listing.page(tx, Filter(), None, 1_000)
        basic = listing.basic_page(tx, Filter(), None, 1_000)
    assert 1 <= len(first.tasks) <= 3
    assert (len(basic.tasks), basic.next) == (len(made), None)
    assert pages(database, Filter(), 1_000) == made


def test_a_page_whose_tasks_are_deleted_meanwhile_is_not_the_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fill(database)
    get_many = queries.get_many
    monkeypatch.setattr(queries, "get_many", lambda tx, ids: get_many(tx, ids[:-2]))
    with database.read() as tx:
        page = listing.page(tx, Filter(), None, 10)
    assert page.tasks == made[:8]
    assert page.next == Position(made[9].created_at, made[9].id)


def test_the_basic_view_leaves_out_what_can_be_large(database: Database) -> None:
    made = fill(database)
    with database.read() as tx:
        basic = listing.basic_page(tx, Filter(), None, 1_000).tasks
    assert [task.id for task in basic] == [task.id for task in made]
    assert {(task.arguments, task.result, task.message) for task in basic} == {("{}", None, None)}
    assert [task.labels for task in basic] == [task.labels for task in made]


def test_old_tasks_are_found_by_their_time(database: Database) -> None:
    made = fill(database)
    old = made[0].created_at - timedelta(days=30)
    with database.write() as tx:
        for table, column in ((tasks, tasks.c.id), (labels, labels.c.task_id)):
            tx.execute(update(table).where(column == made[0].id).values(created_at=old))
    assert pages(database, Filter(), 10)[-1].id == made[0].id
    assert [task.id for task in pages(database, Filter(created_before=old), 10)] == []
