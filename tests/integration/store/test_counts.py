"""Counting: exact up to a bound, beyond it an estimate that says so; and by groups."""

from __future__ import annotations

import pytest

from support.records import submit, submitted_in
from taskgate.store import counts
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.listing import Filter
from taskgate.store.stats import Count


def exact(number: int) -> Count:
    return Count(number, is_estimate=False)


def test_what_fits_is_counted(database: Database) -> None:
    with database.write() as tx:
        for state in State:
            submitted_in(tx, state, queue="a", labels={"team": "x"})
        submit(tx, queue="b", task_type="demo.echo", labels={"team": "x"})
        submit(tx)
    labelled = Filter(labels={"team": "x"})
    with database.read() as tx:
        assert counts.count(tx, Filter()) == exact(11)
        assert counts.count(tx, labelled) == exact(10)
        assert counts.count(tx, Filter(queues=frozenset({"b", "c"}))) == exact(1)
        by_state = counts.by_state(tx, labelled)
        assert by_state == {state: exact(2 if state is State.QUEUED else 1) for state in State}
        assert counts.by_queue(tx, labelled) == {"a": exact(9), "b": exact(1)}
        assert counts.by_task_type(tx, labelled) == {"demo.add": exact(9), "demo.echo": exact(1)}
        queues = Filter(queues=frozenset({"b", "c"}))
        assert counts.by_queue(tx, queues) == {"b": exact(1)}


def test_many_are_estimated(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "EXACT_UP_TO", 10)
    with postgres.write() as tx:
        for number in range(60):
            submit(tx, queue="large" if number % 12 else "small", labels={"n": "1"})
    with postgres.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    with postgres.read() as tx:
        total = counts.count(tx, Filter())
        assert total.is_estimate
        assert 40 <= total.tasks <= 80
        groups = counts.by_queue(tx, Filter())
    assert groups["small"] == exact(5)
    assert groups["large"].is_estimate
    assert groups["large"].tasks >= 11
