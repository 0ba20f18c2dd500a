"""What is done to many tasks at once: counted before, followed after."""

from __future__ import annotations

import re

from support.records import read, submitted_in
from support.site import Site, fields_of, text_of
from support.waiting import wait_until
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State


def fill(database: Database, state: State, times: int, **values: object) -> list[str]:
    with database.write() as tx:
        return [submitted_in(tx, state, **values) for _ in range(times)]


def begin(site: Site, path: str, **fields: str) -> str:
    """Confirm what the page asks; the operation's page."""
    page = site.get(path)
    answer = site.send(path, page, request_id=fields_of(page)["request_id"], **fields)
    assert answer.status_code == 303, text_of(answer.text)
    return str(answer.headers["location"])


def test_all_that_fit_are_aborted_once_they_were_counted(database: Database, site: Site) -> None:
    ids = fill(database, State.QUEUED, 12, labels={"team": "blue"})
    [other] = fill(database, State.QUEUED, 1)
    assert "/many/abort?label=team%3Dblue" in site.get("/tasks?label=team%3Dblue")
    path = "/many/abort?label=team%3Dblue"
    page = site.get(path)
    assert "Abort 12 tasks?" in text_of(page)
    assert len(re.findall(r'class="id"', page)) == 10
    assert all(read(database, one).state is State.QUEUED for one in ids)
    operation = begin(site, path, reason="a <mistake>")
    wait_until(lambda: "12 of 12" in text_of(site.get(operation)), 30)
    page = site.get(operation)
    assert "ABORTED 12" in text_of(page)
    assert "a &lt;mistake&gt;" in page
    assert {read(database, one).state for one in ids} == {State.ABORTED}
    assert read(database, other).state is State.QUEUED


def test_all_that_failed_are_retried(database: Database, site: Site) -> None:
    ids = fill(database, State.FAILED, 3)
    fill(database, State.SUCCEEDED, 2)
    operation = begin(site, "/many/retry?type=demo.add")
    wait_until(lambda: "RETRIED 3" in text_of(site.get(operation)), 30)
    assert "Retries" in text_of(site.get(f"/tasks/{ids[0]}"))


def test_what_cannot_be_is_said(database: Database, site: Site) -> None:
    assert "There is nothing to abort" in text_of(site.get("/many/abort"))
    assert "LOUD" in text_of(site.get("/many/abort?state=LOUD", 400))
    assert "how their ids begin" in text_of(site.get("/many/abort?id=01", 400))
    site.get("/many/delete", 404)
    site.get("/operations/0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f", 404)
