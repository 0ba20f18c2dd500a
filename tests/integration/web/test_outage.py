"""The database is away, or slow: pages say so, and go on when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import PostgresServer
from support.records import upgraded
from support.site import Site, served, text_of
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.web import site
from taskgate.web.pages import overview


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as postgres:
        yield postgres


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    database = upgraded(postgres.create_database("outage"))
    yield database
    database.close()


@pytest.fixture
def pages(database: Database, tmp_path: Path) -> Iterator[Site]:
    settings = ServerSettings(
        postgres_url=database.url.render_as_string(hide_password=False),
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        taskgate_address="127.0.0.1:0",
        taskgate_web_address="127.0.0.1:0",
    )
    with served(settings) as (_, pages):
        yield pages


def test_a_database_that_is_away_is_said_until_it_is_back(
    postgres: PostgresServer, pages: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "REFRESH_SECONDS", 0.05)
    with pages.stream("/live") as events:
        next(events)
        postgres.kill()
        said = next(text for text in map(text_of, events) if "does not answer" in text)
        assert "What is below was read at" in said
        for path in ("/tasks", "/tasks/some-id"):
            answer = pages.http.get(path)
            assert answer.status_code == 503
            assert "Tasks that were submitted are safe" in text_of(answer.text)
            assert answer.headers["refresh"] == "5"
            assert "Traceback" not in answer.text
        postgres.start()
        assert any("does not answer" not in text_of(event) for event in events)
    wait_until(lambda: pages.http.get("/tasks").status_code == 200, 30)


def test_a_database_that_froze_is_said_in_time(
    postgres: PostgresServer, pages: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "READ_SECONDS", 0.5)
    postgres.pause()
    try:
        assert "took longer than 0.5 s" in pages.get("/tasks", 503)
    finally:
        postgres.resume()
    wait_until(lambda: pages.http.get("/tasks").status_code == 200, 30)
