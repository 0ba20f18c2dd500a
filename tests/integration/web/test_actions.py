"""What the forms do, in the words of the calls that do it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.records import read, submit, submitted_in
from support.serving import parameter, register
from support.site import Site, fields_of, row, served, text_of
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State


def shown(answer: object) -> str:
    """The id of the task to which a form led."""
    location = str(getattr(answer, "headers", {}).get("location", ""))
    found = re.fullmatch(r"/tasks/([0-9a-f-]{36})", location)
    assert found, f"{getattr(answer, 'status_code', '')} {text_of(getattr(answer, 'text', ''))}"
    return found[1]


def task_in(database: Database, state: State, **values: object) -> str:
    with database.write() as tx:
        return submitted_in(tx, state, **values)


def given_to(database: Database, task_id: str) -> object:
    """The arguments on record."""
    return json.loads(read(database, task_id).arguments)


def typed(page: str, **arguments: str) -> dict[str, str]:
    """A form's fields, with arguments typed into them."""
    fields = {name: value for name, value in fields_of(page).items() if name != "csrf"}
    return {**fields, **{f"argument:{name}": text for name, text in arguments.items()}}


def test_a_form_submits_a_task(database: Database, site: Site) -> None:
    page = site.get("/types/demo.add")
    fields = typed(page, x="2", y="0.5")
    options = {"queue": "celery", "priority": "7", "delay": "60", "ttl": "5", "label": "a=b, c=d"}
    task = read(database, shown(site.send("/types/demo.add", page, **{**fields, **options})))
    assert json.loads(task.arguments) == {"args": [], "kwargs": {"x": 2, "y": 0.5}}
    assert (task.state, task.priority, task.labels) == (State.SCHEDULED, 7, {"a": "b", "c": "d"})
    assert task.expires_at is not None


def test_a_form_that_is_sent_twice_submits_once(site: Site) -> None:
    page = site.get("/types/demo.add")
    fields = typed(page, x="2", y="3")
    first = shown(site.send("/types/demo.add", page, **fields))
    assert shown(site.send("/types/demo.add", page, **fields)) == first
    other = site.send("/types/demo.add", page, **{**fields, "argument:x": "4"})
    assert other.status_code == 409
    assert "was used before" in text_of(other.text)


TYPED = {
    "12345678901234567890": "12345678901234567890",
    "1.50": "1.50",
    '{"a": [1, null]}': '{"a": [1, null]}',
    "hello": '"hello"',
    '"5"': '"5"',
    "": '""',
}


@pytest.mark.parametrize("text", TYPED)
def test_what_was_typed_is_what_is_submitted(database: Database, site: Site, text: str) -> None:
    page = site.get("/types/demo.echo")
    task = read(database, shown(site.send("/types/demo.echo", page, **typed(page, value=text))))
    assert json.loads(task.arguments)["kwargs"] == {"value": json.loads(TYPED[text])}


def test_each_parameter_has_a_field_of_its_kind(database: Database, site: Site) -> None:
    register(
        database,
        "demo.all",
        parameter("only", {"type": "integer"}, kind="POSITIONAL_ONLY"),
        parameter("name", {"type": "string", "description": "a <b>name</b>"}),
        parameter("mode", {"enum": ["slow", "fast"]}),
        parameter("flag", {"type": "boolean", "default": True}, required=False),
        parameter("maybe", {"anyOf": [{"type": "number"}, {"type": "null"}]}, required=False),
        parameter("rest", kind="VAR_POSITIONAL", required=False),
        parameter("last", {"type": "string"}, kind="KEYWORD_ONLY", required=False),
        parameter("more", kind="VAR_KEYWORD", required=False),
    )
    page = site.get("/types/demo.all")
    text = text_of(page)
    for said in ("only integer", "flag boolean, optional", "maybe number or null, optional"):
        assert said in text
    assert "a &lt;b&gt;name&lt;/b&gt;" in page
    assert "as it is by default true false" in text
    given = {"only": "1", "name": "5", "mode": '"fast"'}
    first = shown(site.send("/types/demo.all", page, **typed(page, **given)))
    assert given_to(database, first) == {"args": [1], "kwargs": {"name": "5", "mode": "fast"}}
    page = site.get("/types/demo.all")
    more = {"flag": "false", "maybe": "null", "rest": "[7]", "last": "x", "more": '{"k": 1}'}
    second = shown(site.send("/types/demo.all", page, **typed(page, **given, **more)))
    expected = {"args": [1, "5", "fast", False, None, 7], "kwargs": {"last": "x", "k": 1}}
    assert given_to(database, second) == expected


def test_a_refused_form_says_what_is_wrong_where_it_is(site: Site) -> None:
    page = site.get("/types/demo.add")
    fields = typed(page, x="two <i>", y="3")
    answer = site.send("/types/demo.add", page, **{**fields, "delay": "soon", "label": "nothing"})
    assert answer.status_code == 400
    assert "delay : 'soon' is no number of seconds" in text_of(answer.text)
    assert "label : 'nothing' is no key=value" in text_of(answer.text)
    answer = site.send("/types/demo.add", page, **fields)
    assert answer.status_code == 400
    again = fields_of(answer.text)
    assert (again["argument:x"], again["request_id"]) == ("two <i>", fields["request_id"])
    [wrong] = re.findall(r'<p class="wrong" id="argument:x-wrong">(.*?)</p>', answer.text)
    assert "two &lt;i&gt;" in wrong


def test_all_arguments_can_be_given_as_json(database: Database, site: Site) -> None:
    page = site.get("/types/demo.add")
    text = '{"args": [1, 2],\r\n "kwargs": {}}'
    task_id = shown(site.send("/types/demo.add", page, **typed(page), arguments_json=text))
    assert given_to(database, task_id) == {"args": [1, 2], "kwargs": {}}
    answer = site.send("/types/demo.add", page, **typed(page), arguments_json="{")
    assert answer.status_code == 400
    assert "arguments_json" in text_of(answer.text)


def test_a_type_that_nobody_registered_has_no_form(site: Site) -> None:
    assert "No worker has registered" in text_of(site.get("/types/demo.none", 404))


def test_a_waiting_task_is_aborted_once_that_was_confirmed(database: Database, site: Site) -> None:
    task_id = task_in(database, State.QUEUED)
    assert f'href="/abort/{task_id}"' in site.get(f"/tasks/{task_id}")
    page = site.get(f"/abort/{task_id}")
    assert read(database, task_id).state is State.QUEUED
    assert shown(site.send(f"/abort/{task_id}", page, reason="a <mistake>")) == task_id
    task = read(database, task_id)
    assert (task.state, task.abort_reason) == (State.ABORTED, "a <mistake>")
    page = site.get(f"/tasks/{task_id}")
    assert "a &lt;mistake&gt;" in page
    # Events are listed once nothing earlier can come any more.
    wait_until(lambda: "ipv4:127.0.0.1:" in site.get(f"/tasks/{task_id}"), 20)


def test_an_abort_that_cannot_be_is_said(database: Database, site: Site) -> None:
    ended, running = task_in(database, State.SUCCEEDED), task_in(database, State.RUNNING)
    assert "/abort/" not in site.get(f"/tasks/{ended}")
    answer = site.send(f"/abort/{ended}", site.get(f"/abort/{ended}"))
    assert answer.status_code == 409
    assert "SUCCEEDED" in text_of(answer.text)
    answer = site.send(f"/abort/{running}", site.get(f"/abort/{running}"), force="on", grace="3")
    assert answer.status_code == 409
    assert "abort it without force" in text_of(answer.text)


def test_a_retry_has_the_arguments_as_they_are_or_edited(database: Database, site: Site) -> None:
    exact = '{"args": [1.0, 12345678901234567890], "kwargs": {}}'
    task_id = task_in(database, State.FAILED, arguments=exact)
    page = site.get(f"/retry/{task_id}")
    [arguments] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    arguments = text_of(arguments)
    fields = {"request_id": fields_of(page)["request_id"]}
    answer = site.send(f"/retry/{task_id}", page, arguments=arguments, **fields)
    same = read(database, shown(answer))
    assert json.loads(same.arguments) == json.loads(exact)
    assert (same.retry_of, same.root_id) == (task_id, task_id)
    page = site.get(f"/retry/{task_id}")
    fields = {"request_id": fields_of(page)["request_id"]}
    edited = '{"args": [],\r\n"kwargs": {"x": 1, "y": 2}}'
    answer = site.send(f"/retry/{task_id}", page, arguments=edited, **fields)
    assert given_to(database, shown(answer)) == {"args": [], "kwargs": {"x": 1, "y": 2}}
    assert row(site.get(f"/tasks/{task_id}"), "the first").startswith("FAILED")


def test_a_retry_that_is_refused_keeps_what_was_typed(database: Database, site: Site) -> None:
    task_id = task_in(database, State.FAILED)
    page = site.get(f"/retry/{task_id}")
    answer = site.send(f"/retry/{task_id}", page, arguments='{"args": ["x<y"], "kwargs": {}}')
    assert answer.status_code == 400
    assert "x&lt;y" in answer.text
    running = task_in(database, State.RUNNING)
    answer = site.send(f"/retry/{running}", site.get(f"/retry/{running}"), arguments="")
    assert answer.status_code == 409


def test_a_queue_is_paused_and_resumed(site: Site) -> None:
    page = site.get("/pause/queue/celery")
    assert site.send("/pause/queue/celery", page, reason="new <deploy>").status_code == 303
    wait_until(lambda: "PAUSED" in row(site.get("/"), "celery"), 20)
    page = site.get("/pause/queue/celery")
    assert "new &lt;deploy&gt;" in page
    assert site.send("/pause/queue/celery", page, resume="1").status_code == 303
    wait_until(lambda: "PAUSED" not in row(site.get("/"), "celery"), 20)


def test_a_task_type_is_paused_and_resumed(site: Site) -> None:
    page = site.get("/pause/task_type/demo.add")
    answer = site.send("/pause/task_type/demo.add", page, reason="")
    assert answer.headers["location"] == "/types/demo.add"
    assert "PAUSED" in site.get("/types/demo.add")
    assert "PAUSED" in row(site.get("/types"), "demo.add")
    answer = site.send("/pause/queue/unknown", site.get("/pause/queue/unknown"), reason="")
    assert answer.status_code == 400
    assert "no worker ever served" in text_of(answer.text)
    site.get("/pause/world/peace", 404)


SAME = '{"args": [1, 2], "kwargs": {}}'

ROLES = {
    "reader": ("read", {"/abort/": 403, "/retry/": 403, "/pause/queue/": 403, "/system": 403}),
    "helper": ("read,abort", {"/abort/": 303, "/retry/": 403, "/pause/queue/": 403}),
    "sender": ("read,submit", {"/abort/": 403, "/retry/": 303}),
    "boss": ("admin", {"/abort/": 303, "/retry/": 303, "/pause/queue/": 303, "/system": 200}),
}


@pytest.mark.parametrize("name", ROLES)
def test_who_may_what(
    database: Database, make_settings: Callable[..., ServerSettings], tmp_path: Path, name: str
) -> None:
    roles, expected = ROLES[name]
    sha256 = hashlib.sha256(b"secret").hexdigest()
    (tmp_path / "tokens").write_text(f"{name} {sha256} roles={roles}\n")
    waiting, ended = task_in(database, State.QUEUED), task_in(database, State.FAILED)
    targets = {"/abort/": waiting, "/retry/": ended, "/pause/queue/": "celery"}
    with served(make_settings(taskgate_tokens_file=tmp_path / "tokens")) as (_, site):
        site.log_in("secret")
        home = site.get("/tasks")
        pages = site.get(f"/tasks/{waiting}") + site.get(f"/tasks/{ended}")
        assert (f"/abort/{waiting}" in pages) == (expected["/abort/"] == 303)
        assert (f"/retry/{ended}" in pages) == (expected["/retry/"] == 303)
        for path, status in expected.items():
            if path == "/system":
                assert site.http.get(path).status_code == status
                continue
            url = path + targets[path]
            answer = site.send(url, home, arguments=SAME, reason="")
            assert answer.status_code == status, path
            if status == 403:
                assert "role" in text_of(answer.text)


def test_a_caller_sees_what_its_patterns_say(
    database: Database, make_settings: Callable[..., ServerSettings], tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(b"secret").hexdigest()
    (tmp_path / "tokens").write_text(f"ann {sha256} task_types=demo.echo\n")
    with database.write() as tx:
        hidden, seen = submit(tx), submit(tx, task_type="demo.echo")
    with served(make_settings(taskgate_tokens_file=tmp_path / "tokens")) as (_, site):
        site.log_in("secret")
        assert hidden not in site.get("/tasks")
        assert seen in site.get("/tasks")
        for path in ("tasks", "abort", "retry", "text/arguments"):
            site.get(f"/{path}/{hidden}", 404)
        with site.stream(f"/live/tasks/{hidden}") as events:
            assert "demo.add" not in "".join(events)
        wait_until(lambda: "demo.echo" in site.get("/"), 20)
        page = site.get("/")
        assert "demo.add" not in page
        assert "<svg" not in page  # the history is of all tasks
        assert "demo.add" not in site.get("/types")
