"""Pages that stay up to date, for how many, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from support.records import WORKER, submit
from support.serving import InProcessServer
from support.site import END, Site, served, text_of
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.web import live
from taskgate.web.pages import overview


def test_a_task_is_streamed_until_its_end(database: Database, site: Site) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    with site.stream(f"/live/tasks/{task_id}?seen=1") as events:
        with database.write() as tx:
            assert transitions.claim(tx, task_id, 1, WORKER)
        assert "RUNNING" in text_of(next(events))
        with database.write() as tx:
            assert transitions.succeed(tx, task_id, 1, "3")
        assert "Result 3" in text_of(next(events))
        assert next(events) == END
        assert next(events, None) is None


def test_a_final_task_that_was_seen_ends_the_stream_at_once(database: Database, site: Site) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        version = transitions.request_abort(tx, task_id, by="", reason="").version
    with site.stream(f"/live/tasks/{task_id}?seen={version}") as events:
        assert list(events) == [END]


def test_a_task_that_is_not_there_ends_the_stream(site: Site) -> None:
    with site.stream("/live/tasks/nothing?seen=abc") as events:
        assert list(events) == [END]


def test_the_overview_is_streamed_as_it_changes(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "REFRESH_SECONDS", 0.05)
    with site.stream("/live") as events:
        assert "Waiting 0" in text_of(next(events))
        with database.write() as tx:
            submit(tx)
        assert any("Waiting 1" in text_of(event) for event in events)


def test_a_viewer_who_goes_leaves_nothing_behind(
    database: Database, server: InProcessServer, site: Site
) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    watching = server.server._watcher._watching
    with site.stream(f"/live/tasks/{task_id}") as events:
        next(events)
        assert task_id in watching
    wait_until(lambda: task_id not in watching, 20)


def test_there_are_so_many_streams_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch, server: InProcessServer
) -> None:
    streams = server.server._dashboard._site.streams
    monkeypatch.setattr(streams, "_limit", 1)
    with site.stream("/live") as events:
        next(events)
        answer = site.http.get("/live")
        assert (answer.status_code, answer.text) == (503, "")
        assert "retry-after" in answer.headers
        site.get("/")
    wait_until(lambda: streams.open == 0, 20)
    with site.stream("/live") as events:
        next(events)


def test_a_quiet_stream_is_kept_open(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    with database.write() as tx:
        task_id = submit(tx)
    with site.http.stream("GET", f"/live/tasks/{task_id}?seen=1") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": "


def test_streams_end_with_the_server(
    database: Database, make_settings: Callable[..., ServerSettings]
) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    with served(make_settings()) as (server, site):
        with site.stream(f"/live/tasks/{task_id}") as one, site.stream("/live") as other:
            next(one)
            next(other)
            server.run(server.server.stop())
            assert next(one, None) is None
            assert next(other, None) is None
        with pytest.raises(httpx.ConnectError):
            site.get("/")
