"""What the pages show, of a record with every kind of task in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from support.records import FAILURE, WORKER, new_task, submit, submitted_in
from support.site import Site, fields_of, row, text_of
from support.waiting import wait_until
from taskgate.store import logs, submission, transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import Reason, State
from taskgate.store.logs import AttemptLog, Line
from taskgate.store.record import Failure

NASTY = "<script>alert('x')</script> & \"quotes\" {{ 7*7 }}"


def fill(database: Database, *states: State, **values: object) -> list[str]:
    with database.write() as tx:
        return [submitted_in(tx, state, **values) for state in states]


def ids_in(page: str) -> list[str]:
    return re.findall(r'class="id" href="/tasks/([^"]+)"', page)


def test_the_overview_says_what_queues_types_and_states_do(database: Database, site: Site) -> None:
    fill(database, State.QUEUED, State.QUEUED, State.RUNNING, State.SCHEDULED, State.FAILED)
    # A reading is a second old.
    wait_until(lambda: "FAILED 1" in text_of(site.get("/")), 20)
    page = site.get("/")
    # workers, slots, waiting, oldest, running, later, submits, ends, failures
    assert re.fullmatch(r"celery 1 4 2 \d s 1 1 5 1 1 Pause …", row(page, "celery"))
    assert re.fullmatch(r"demo\.add 2 \d s 1 1 5 1 1", row(page, "demo.add"))
    text = text_of(page)
    assert re.search(r"Waiting 2 oldest \d s Running 1 of 4 slots", text)
    assert "SCHEDULED 1 QUEUED 2 RUNNING 1 RETRYING 0" in text


def test_an_empty_record_has_its_queues(site: Site) -> None:
    assert row(site.get("/"), "celery") == "celery 1 4 0 0 0 0 0 0 Pause …"
    assert "No task fits." in text_of(site.get("/tasks"))


def test_tasks_are_listed_with_what_they_say(database: Database, site: Site) -> None:
    states = [state for state in State if state is not State.EXPIRED]
    ids = fill(database, *states)
    page = site.get("/tasks")
    assert sorted(ids_in(page)) == sorted(ids)
    for task_id, state in zip(ids, states, strict=True):
        assert row(page, f"…{task_id[-8:]}").startswith(f"{state} demo.add")
    assert "builtins.ValueError: no" in row(page, "FAILED")


FILTERS = {
    "state=RUNNING": [State.RUNNING],
    "state=RUNNING&state=FAILED": [State.FAILED, State.RUNNING],
    "type=demo.echo": [],
    "type=demo.add&state=FAILED": [State.FAILED],
    "queue=other": [],
    "label=team%3Dblue&state=FAILED": [State.FAILED],
    "label=team%3Dblue,x%3Dy": [],
    "label=team%3Dred": [],
    "since=1h&state=RUNNING": [State.RUNNING],
    "from=2020-01-01T00:00&state=RUNNING": [State.RUNNING],
    "from=2020-01-01T00:00&before=2020-01-02": [],
    "id=nothing": [],
}


@pytest.mark.parametrize("query", FILTERS)
def test_every_filter_is_in_the_url(database: Database, site: Site, query: str) -> None:
    fill(database, State.RUNNING, State.FAILED, labels={"team": "blue"})
    page = site.get(f"/tasks?{query}")
    shown = re.findall(r'<tr>\s*<td><span class="badge (\w+)', page)
    assert shown == [state.value.lower() for state in FILTERS[query]]


def test_the_filters_stand_in_their_fields(site: Site) -> None:
    page = site.get("/tasks?state=FAILED&type=demo.add&queue=celery&label=a%3Db&size=200&id=01")
    fields = fields_of(page)
    assert (fields["type"], fields["queue"], fields["label"]) == ("demo.add", "celery", "a=b")
    assert fields["id"] == "01"
    assert re.findall(r'value="(\w+)" checked', page) == ["FAILED"]
    assert "<option selected>200</option>" in page


def test_ids_can_be_shortened_and_retries_found_by_their_root(
    database: Database, site: Site
) -> None:
    [first, other] = fill(database, State.FAILED, State.FAILED)
    with database.write() as tx:
        [_] = submission.submit(tx, [new_task(retry_of=first, root_id=first)])
    assert ids_in(site.get(f"/tasks?id={other[:-1]}")) == [other]
    assert len(ids_in(site.get(f"/tasks?root={first}"))) == 2
    assert "Retries" in text_of(site.get(f"/tasks/{first}"))
    assert "Retries" not in text_of(site.get(f"/tasks/{other}"))


@pytest.mark.parametrize("since", ["", "&since=24h"])
def test_pages_follow_each_other(database: Database, site: Site, since: str) -> None:
    ids: list[str] = []
    for _ in range(3):
        ids += fill(database, *[State.QUEUED] * 40)
    path, seen = f"/tasks?size=50&state=QUEUED{since}", []
    while path:
        page = site.get(path)
        seen += ids_in(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == sorted(ids)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=LOUD", "state: 'LOUD' is none of SCHEDULED"),
        ("label=team", "label: 'team' is no key=value"),
        ("from=yesterday", "from: 'yesterday' is no time"),
        ("since=1y", "since: 1y is none of 15m"),
        ("size=7", "size: '7' is none of 50"),
        ("page=abc", "page_token: it is "),
        ("root=%00", "root_id: "),
        (f"id={'x' * 300}", "id_prefix: "),
        (f"type={'x' * 300}", "task_types[0]: "),
    ],
)
def test_a_wrong_filter_is_said_and_can_be_corrected(site: Site, query: str, said: str) -> None:
    page = site.get(f"/tasks?{query}", 400)
    assert said.replace(": ", " : ", 1) in text_of(page)
    assert "Filter" in text_of(page)


def test_a_task_says_all_that_is_recorded(database: Database, site: Site) -> None:
    [task_id] = fill(database, State.FAILED, labels={"team": "blue"}, submitted_by="ann")
    page = site.get(f"/tasks/{task_id}")
    text = text_of(page)
    for said in ("demo.add FAILED", task_id, "celery , priority", "team=blue", "by ann", WORKER):
        assert said in text
    assert "builtins.ValueError : no" in text
    assert '{"args": [1, 2], "kwargs": {}}' in text
    assert "1 FAILED" in row(page, "FAILED 20")
    assert '<rect class="bar failed"' in page


def test_arguments_and_results_are_shown_to_the_letter(database: Database, site: Site) -> None:
    arguments = '{"args": [12345678901234567890, 1.0, 1e400, "é\\ud83d\\ude00"], "kwargs": {}}'
    with database.write() as tx:
        task_id = submit(tx, task_type="demo.echo", arguments=arguments)
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.succeed(tx, task_id, 1, '{"n": 98765432109876543210}')
    text = text_of(site.get(f"/tasks/{task_id}"))
    assert '[12345678901234567890, 1.0, 1e400, "é😀"]' in text
    assert '{"n": 98765432109876543210}' in text


def test_what_is_long_is_cut_and_can_be_read_whole(database: Database, site: Site) -> None:
    long = "x" * 150_000
    with database.write() as tx:
        task_id = submit(tx, arguments=f'{{"args": ["{long}"], "kwargs": {{}}}}')
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.succeed(tx, task_id, 1, f'"{long}"')
    page = site.get(f"/tasks/{task_id}")
    assert "All of them" in page
    assert long not in page
    assert long in site.get(f"/text/arguments/{task_id}")
    assert site.get(f"/text/result/{task_id}") == f'"{long}"'


def test_nothing_that_users_supply_becomes_markup(database: Database, site: Site) -> None:
    failure = Failure(
        reason=Reason.EXCEPTION, message=NASTY, type=NASTY, module="m", traceback=NASTY
    )
    task_id = f"{NASTY}/../é?#"
    values = {"id": task_id, "task_type": NASTY, "queue": NASTY, "labels": {NASTY: NASTY}}
    with database.write() as tx:
        arguments = json.dumps({"args": [NASTY], "kwargs": {NASTY: NASTY}})
        submit(tx, submitted_by=NASTY, arguments=arguments, **values)
        assert transitions.claim(tx, task_id, 1, NASTY)
        transitions.request_abort(tx, task_id, by=NASTY, reason=NASTY)
        assert transitions.fail(tx, task_id, 1, failure)
    wait_until(lambda: "script" in text_of(site.get("/")), 20)  # a reading is a second old
    for path in (f"/tasks/{quote(task_id, safe='')}", "/tasks", "/", f"/tasks?type={quote(NASTY)}"):
        page = site.get(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(&#39;x&#39;)" in page
        assert "{{ 7*7 }}" in page
    [link] = ids_in(site.get("/tasks"))
    assert NASTY in text_of(site.get(f"/tasks/{link}"))


def test_a_tasks_log_is_shown(database: Database, site: Site) -> None:
    [task_id] = fill(database, State.FAILED)
    line = Line(
        datetime(2026, 11, 30, 9, tzinfo=UTC).timestamp(), "WARNING", "my.tasks", f"{NASTY}\nsecond"
    )
    with database.write() as tx:
        logs.write(tx, AttemptLog(task_id, 1, 0, (line,)))
    page = site.get(f"/tasks/{task_id}")
    assert row(page, "WARNING").startswith("2026-11-30 09:00:00.000 1 WARNING my.tasks <script>")
    assert "<script>alert" not in page


def test_an_id_that_was_never_used_is_not_found(site: Site) -> None:
    page = site.get("/tasks/0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f", 404)
    assert "TASK_NOT_FOUND" in page
    assert "There is no such page." in site.get("/nothing", 404)


def test_the_server_says_where_its_bugs_are_logged(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("taskgate.web.pages.tasks.Filters.of", broken)
    page = site.get("/tasks", 500)
    [incident] = re.findall(r"incident (\w+)", page)
    assert "a secret" not in page
    assert f"incident {incident}" in caplog.text


def test_a_failure_without_its_traceback_is_shown(database: Database, site: Site) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.fail(tx, task_id, 1, Failure(FAILURE.reason, "gone", "", "", ""))
    assert "EXCEPTION: gone" in text_of(site.get("/tasks"))
