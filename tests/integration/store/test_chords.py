"""Chords on the record: when a body may start, and how long its parts stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from support.records import HOUR, PAST, submit, submitted_in
from taskgate.store import canvas, chords, queries, sweeping, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskNotFound
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.tables import chord_parts
from taskgate.store.tables import chords as chords_table

MONTH = timedelta(days=30)


def test_a_body_starts_once_when_all_its_parts_have_ended(database: Database) -> None:
    with database.write() as tx:
        ended = [submitted_in(tx, state) for state in FINAL]
        running = submitted_in(tx, State.RUNNING)
        chords.save(tx, "c", "{}", "q", [*ended, running])
        chords.save(tx, "other", "{}", "q", [running])
        assert chords.unlock(tx, "c", "u1") is None
        assert chords.ready(tx, 10) == []
        assert transitions.succeed(tx, running, 1, "1")
        assert sorted(chords.ready(tx, 10)) == ["c", "other"]
        assert chords.unlock(tx, "c", "u1") == chords.Unlocked("{}", "q")
        assert chords.unlock(tx, "c", "u2") is None
        assert chords.ready(tx, 10) == ["other"]


def test_a_part_that_is_not_on_record_yet_is_waited_for(database: Database) -> None:
    with database.write() as tx:
        chords.save(tx, "c", "{}", "q", ["to come"])
        assert chords.ready(tx, 10) == []
        assert chords.unlock(tx, "c", "u") is None


def test_what_a_chord_waits_for_is_neither_deleted_nor_forgotten(database: Database) -> None:
    with database.write() as tx:
        part, waiting = submitted_in(tx, State.SUCCEEDED), submit(tx)
        chords.save(tx, "c", "{}", "q", [part, waiting])
        assert sweeping.delete_final(tx, PAST, 100) == 0
        assert not sweeping.forget(tx, part)
        assert queries.get(tx, part).result == "3"


def test_parts_stay_until_the_body_has_their_results(database: Database) -> None:
    with database.write() as tx:
        part, unlock = submitted_in(tx, State.SUCCEEDED), submit(tx)
        chords.save(tx, "c", "{}", "q", [part])
        assert chords.unlock(tx, "c", unlock)
        assert chords.delete_done(tx, 100) == 0
        assert not sweeping.forget(tx, part)
        assert transitions.claim(tx, unlock, 1, "worker")
        assert transitions.succeed(tx, unlock, 1, "null")
        assert chords.delete_done(tx, 100) == 1
        assert sweeping.forget(tx, part)
        assert tx.execute(select(func.count()).select_from(chord_parts)).scalar_one() == 0
        with pytest.raises(TaskNotFound):
            queries.get(tx, part)


def test_a_chord_is_given_up_when_no_part_is_on_its_way(database: Database) -> None:
    with database.write() as tx:
        chords.save(tx, "lives", "{}", "q", ["gone", submitted_in(tx, State.RETRYING)])
        chords.save(tx, "dead", "{}", "q", ["gone", submitted_in(tx, State.FAILED)])
        assert chords.delete_old(tx, HOUR, 100) == 0
        assert chords.delete_old(tx, PAST, 100) == 1
        assert list(tx.execute(select(chords_table.c.id)).scalars()) == ["lives"]


def test_saved_groups_are_kept_for_as_long_as_tasks(database: Database) -> None:
    with database.write() as tx:
        canvas.save_group(tx, "g", "[]")
        assert canvas.delete_old_groups(tx, MONTH) == 0
        assert canvas.restore_group(tx, "g") == "[]"
        assert canvas.delete_old_groups(tx, PAST) == 1
        assert canvas.restore_group(tx, "g") is None
