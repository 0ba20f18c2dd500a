"""Failures, workers, and what it all runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from support.records import FAILURE, submit
from support.serving import InProcessServer, start_worker
from support.site import Site, row, text_of
from support.waiting import wait_until
from taskgate.cli.doctor import Finding, ok, problem, warning
from taskgate.server.settings import ServerSettings
from taskgate.store import transitions, workers
from taskgate.store.database.engine import Database
from taskgate.web.dashboard import Dashboard
from taskgate.web.pages import failures, system


def fail(database: Database, times: int, task_type: str, message: str, error: str) -> None:
    for _ in range(times):
        with database.write() as tx:
            task_id = submit(tx, task_type=task_type)
            assert transitions.claim(tx, task_id, 1, "worker@here")
            failure = replace(FAILURE, message=message, type=error)
            assert transitions.fail(tx, task_id, 1, failure)


def test_failures_are_grouped_by_type_and_error(database: Database, site: Site) -> None:
    fail(database, 2, "demo.add", "disk full", "OSError")
    fail(database, 1, "demo.add", "disk <away>", "OSError")
    fail(database, 1, "demo.add", "no", "ValueError")
    fail(database, 2, "demo.echo", "no", "ValueError")
    page = site.get("/failures")
    assert "6 tasks submitted within the last 24 hours failed" in text_of(page)
    assert row(page, "OSError").startswith("3 demo.add builtins.OSError")
    assert "disk full \u00d7 2 disk <away>" in row(page, "OSError")
    assert row(page, "demo.echo").startswith("2 demo.echo builtins.ValueError")
    assert page.index("OSError") < page.index("demo.echo")
    assert "<svg" in page
    assert "since: '1y' is none of" in text_of(site.get("/failures?since=1y", 400))


def test_of_many_failures_the_newest_are_looked_at(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "READ", 2)
    fail(database, 3, "demo.add", "no", "ValueError")
    page = site.get("/failures?since=1h")
    assert "The newest 2 tasks that failed" in text_of(page)
    assert row(page, "demo.add").startswith("2 ")


def test_workers_are_listed_the_living_ones_first(database: Database, site: Site) -> None:
    start_worker(database, "other@there", queues=["a<b"], can_force=True, concurrency=2)
    start_worker(database, "gone@there")
    with database.write() as tx:
        workers.stop(tx, "gone@there")
    page = site.get("/workers")
    assert row(page, "other@there").startswith("ALIVE other@there")
    assert "a&lt;b" in page
    assert "gone@there" not in page
    assert row(site.get("/workers?all=1"), "gone@there").startswith("STOPPED")


def test_the_system_shows_settings_without_what_is_secret(
    make_settings: Callable[..., ServerSettings],
) -> None:
    settings = make_settings(
        celery_result_backend="redis://user:pa55word@127.0.0.1:1/0",
        celery_broker_transport_options={"sentinel_kwargs": {"password": "pa55word"}},
    )
    found = [("broker", problem("it is <away>", "start it")), ("clock", warning("slow", "wind it"))]
    with (
        InProcessServer(settings, partial(Dashboard, examine=lambda: found)) as server,
        Site(server.server.dashboard_url) as site,
    ):
        page = site.get("/system")
    assert "pa55word" not in page
    assert "redis://user:**@127.0.0.1:1/0" in page
    assert "TASKGATE_WEB_ADDRESS 127.0.0.1:0" in text_of(page)
    assert "TASKGATE_MAX_QUEUED 1000000 by default" in text_of(page)
    assert row(page, "it is <away>") == "broker problem it is <away> → start it"


def test_parts_that_take_long_hold_nobody_up(
    make_settings: Callable[..., ServerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "WAIT_SECONDS", 0.05)
    answered = threading.Event()

    def examine() -> list[tuple[str, Finding]]:
        answered.wait(60)
        return [("broker", ok("it answers"))]

    with (
        InProcessServer(make_settings(), partial(Dashboard, examine=examine)) as server,
        Site(server.server.dashboard_url) as site,
    ):
        assert "still looking" in site.get("/system")
        answered.set()
        wait_until(lambda: "it answers" in site.get("/system"), 20)
