"""The page of schedules: when they tick next, what became of the last tick."""

from __future__ import annotations

from datetime import timedelta

from support.records import new_task, submitted_in
from support.site import Site, row, text_of
from taskgate.store import schedules
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.record import Timing
from taskgate.store.schedules import NewSchedule, TickOutcome, Ticks, to_template


def test_schedules_are_shown(database: Database, site: Site) -> None:
    assert "There is none" in text_of(site.get("/schedules"))
    template = to_template(new_task())
    with database.write() as tx:
        now = clock.read(tx)
        nightly = NewSchedule("nightly", Timing("0 2 * * *", "Europe/Berlin"), template)
        one = schedules.create(tx, nightly, now, "someone")
        task_id = submitted_in(tx, State.FAILED, schedule="nightly")
        other_id = submitted_in(tx, State.FAILED)
        ticks = Ticks(
            now, now + timedelta(days=1), TickOutcome.SUBMITTED, {TickOutcome.SUBMITTED: 1}, task_id
        )
        assert schedules.record_ticks(tx, one, ticks)
        paused = NewSchedule("paused", Timing(interval=90.0), template, description="<b>")
        schedules.create(tx, paused, None, "someone")
        schedules.pause(tx, schedules.find(tx, "paused"), by="someone", reason="holidays")
    page = site.get("/schedules")
    shown = row(page, "nightly")
    for part in ("0 2 * * * Europe/Berlin", "demo.add", "SUBMITTED", "FAILED no", "1 0 0 0"):
        assert part in shown
    assert "PAUSED every" in row(page, "paused")
    assert "<b>" not in page
    of_schedule = site.get("/tasks?schedule=nightly")
    assert task_id in of_schedule
    assert other_id not in of_schedule
