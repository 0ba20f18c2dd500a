"""Ticks: each fired once, none lost, whoever fires them and whatever is wrong with a schedule."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, update

from support.records import new_task, read, recorded_statements, submitted_in
from support.serving import register
from support.waiting import wait_until
from taskgate.store import schedules, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.record import Timing
from taskgate.store.schedules import Missed, NewSchedule, Overlap, Schedule, to_template
from taskgate.store.tables import schedules as table
from taskgate.store.tables import tasks
from taskgate.tasks.background.schedules import Ticker, plan_of

MINUTE = Timing(interval=60.0)
HOUR = Timing(interval=3600.0)


def create(
    database: Database,
    name: str = "s",
    timing: Timing = HOUR,
    *,
    behind: int = 0,
    task: dict[str, Any] | None = None,
    **values: Any,
) -> Schedule:
    """A schedule of which one tick is due, and as many before it."""
    with database.write() as tx:
        now = clock.read(tx)
        whole = now.timestamp() // timing.interval - behind
        due = datetime.fromtimestamp(whole * timing.interval, UTC)
        new = NewSchedule(name, timing, to_template(new_task(**(task or {}))), **values)
        return schedules.create(tx, new, due, "someone")


def find(database: Database, name: str = "s") -> Schedule:
    with database.read() as tx:
        return schedules.find(tx, name)


def fired(database: Database, name: str = "s") -> list[datetime]:
    """The times of the ticks whose tasks are on record, in their order."""
    with database.read() as tx:
        found = select(tasks.c.due_at).where(tasks.c.schedule == name).order_by(tasks.c.due_at)
        return list(tx.execute(found).scalars())


def test_a_tick_is_a_task(database: Database) -> None:
    register(database, "demo.add", queue="own", options={"max_retries": 2})
    schedule = create(database, task={"queue": "", "labels": {"a": "b"}, "ttl": timedelta(hours=2)})
    assert Ticker(database).fire() == 1
    assert Ticker(database).fire() == 0
    after = find(database)
    assert (after.last_outcome, after.counts) == ("SUBMITTED", {"submitted": 1})
    assert schedule.next_at is not None
    assert after.next_at == schedule.next_at + timedelta(hours=1)
    assert after.last_task_id is not None
    task = read(database, after.last_task_id)
    assert (task.schedule, task.submitted_by, task.queue) == ("s", "someone", "own")
    assert (task.state, task.due_at, task.labels) == (State.QUEUED, schedule.next_at, {"a": "b"})
    assert task.max_attempts == 3
    assert task.expires_at == task.created_at + timedelta(hours=2)


def test_looking_for_ticks_is_one_statement(database: Database) -> None:
    with recorded_statements(database) as statements:
        assert Ticker(database)._step() == 1.0
    assert len([one for one, _ in statements if "taskgate_schedules" in one]) == 1


def test_an_earlier_task_has_not_ended(database: Database) -> None:
    with database.write() as tx:
        running = submitted_in(tx, State.RUNNING, schedule="skips")
        replaced = submitted_in(tx, State.RUNNING, schedule="aborts")
        submitted_in(tx, State.RUNNING, schedule="allows")
    create(database, "skips")
    create(database, "allows", overlap=Overlap.ALLOW)
    create(database, "aborts", overlap=Overlap.ABORT)
    assert Ticker(database).fire() == 3
    skipped = find(database, "skips")
    assert (skipped.last_outcome, len(fired(database, "skips"))) == ("SKIPPED", 1)
    assert "had not ended" in (skipped.last_message or "")
    assert len(fired(database, "allows")) == len(fired(database, "aborts")) == 2
    assert read(database, running).state is State.RUNNING
    assert read(database, replaced).state is State.ABORTING
    assert read(database, replaced).abort_reason == "the next tick of schedule aborts was due"
    with database.write() as tx:
        assert transitions.succeed(tx, running, 1, "1")
        tx.execute(update(table).where(table.c.id == "skips").values(next_at=skipped.last_at))
    Ticker(database).fire()
    assert find(database, "skips").counts == {"skipped": 1, "submitted": 1}


@pytest.mark.parametrize(("missed", "run"), [(Missed.NONE, 0), (Missed.ONE, 1), (Missed.ALL, 5)])
def test_ticks_that_were_missed(missed: Missed, run: int) -> None:
    now = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    schedule = Schedule(
        *("s", 1, HOUR, "{}", "ALLOW", missed, 5, "", now, "", now, None, None, None),
        *(now - timedelta(hours=9, minutes=30), None, None, None, None, None, {}),
    )
    plan = plan_of(schedule, now)
    assert (len(plan.run), plan.missed) == (run, 10 - run)
    assert (plan.last_at.hour, plan.next_at and plan.next_at.hour) == (12, 13)
    assert [one.hour for one in plan.run] == list(range(13 - run, 13))
    in_time = plan_of(schedule, now - timedelta(minutes=29, seconds=30))
    assert in_time.run[-1].hour == 12  # it is not missed: 30 seconds are no delay


def test_late_by_less_than_a_minute_is_not_missed(database: Database) -> None:
    create(database, timing=Timing(interval=1.0), behind=20, overlap=Overlap.ALLOW, missed="NONE")
    Ticker(database).fire()
    assert 21 <= len(fired(database)) <= 60


def test_a_unique_key_is_honoured(database: Database) -> None:
    unique = {"unique_key": "k", "unique_until": "END"}
    with database.write() as tx:
        holder = submitted_in(tx, State.RUNNING, **unique)
    create(database, task=unique)
    Ticker(database).fire()
    after = find(database)
    assert (after.last_outcome, fired(database)) == ("SKIPPED", [])
    assert holder in (after.last_message or "")


def test_what_cannot_be_fired_holds_up_nobody(database: Database) -> None:
    create(database, "bad", task={"priority": 1 << 70})
    create(database, "good")
    broken = create(database, "zone")
    lost = Timing(cron="0 * * * *", zone="Mars/Base")
    with database.write() as tx:
        tx.execute(update(table).where(table.c.id == "zone").values(timing=lost))
    assert Ticker(database).fire() == 3
    assert len(fired(database, "good")) == 1
    bad, zone = find(database, "bad"), find(database, "zone")
    assert (bad.last_outcome, bad.counts) == ("FAILED", {"failed": 1})
    assert "64 bits" in (bad.last_message or "")
    assert zone.last_outcome == "FAILED"
    assert "Mars/Base" in (zone.last_message or "")
    for one in (bad, zone):
        assert one.next_at is not None
        assert broken.next_at is not None
        assert one.next_at > broken.next_at


def test_a_clock_that_is_put_back_fires_nothing_twice(database: Database) -> None:
    schedule = create(database)
    Ticker(database).fire()
    # Whoever then changes the schedule could have the same tick come again.
    with database.write() as tx:
        tx.execute(update(table).values(next_at=schedule.next_at))
    Ticker(database).fire()
    assert fired(database) == [schedule.next_at]
    assert find(database).last_outcome == "SKIPPED"


TICKS = 1_000


def test_many_at_once_fire_each_tick_once(database: Database) -> None:
    """Eight of them, over schedules with thousands of ticks behind."""
    names = [f"s{number}" for number in range(8)]
    for name in names:
        create(
            database,
            name,
            MINUTE,
            behind=TICKS,
            overlap=Overlap.ALLOW,
            missed="ALL",
            most_missed=TICKS,
        )
    tickers = [Ticker(database) for _ in range(8)]

    def fire(ticker: Ticker) -> None:
        while behind(database):
            ticker.fire()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fire, tickers))
    for name in names:
        assert_each_once(fired(database, name), TICKS)


FIRE = """
import sys
from taskgate.store.database.engine import Database
from taskgate.tasks.background import schedules
schedules.MOST_SCHEDULES = 2
ticker = schedules.Ticker(Database(sys.argv[1]))
while True:
    ticker.fire()
"""


def test_processes_that_are_killed_lose_and_repeat_nothing(postgres: Database) -> None:
    names = [f"s{number}" for number in range(60)]
    for name in names:
        create(postgres, name, MINUTE, behind=10, overlap=Overlap.ALLOW, missed="ALL")
    url = postgres.url.render_as_string(hide_password=False)
    for killed_at in (1, len(names) * 5):
        firing = [subprocess.Popen([sys.executable, "-c", FIRE, url]) for _ in range(2)]
        wait_until(partial(has_tasks, postgres, killed_at), 60, "ticks")
        for process in firing:
            process.kill()
            process.wait()
    while behind(postgres):
        Ticker(postgres).fire()
    for name in names:
        assert_each_once(fired(postgres, name), 11)


def has_tasks(database: Database, least: int) -> bool:
    with database.read() as tx:
        return tx.execute(select(func.count()).select_from(tasks)).scalar_one() >= least


def behind(database: Database) -> bool:
    with database.read() as tx:
        seconds = schedules.seconds_until_due(tx)
    return seconds is not None and seconds <= 0


def assert_each_once(found: Sequence[datetime], least: int) -> None:
    assert len(found) >= least
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=1)}
