from __future__ import annotations

import pytest

from taskgate.store.engine import Database, parse_url
from taskgate.store.errors import StoreUnavailable


@pytest.mark.parametrize(
    "url",
    ["postgres://me@db/tasks", "postgresql://me@db/tasks", "postgresql+psycopg://me@db/tasks"],
)
def test_postgresql_means_psycopg2(url: str) -> None:
    assert parse_url(url).render_as_string() == "postgresql+psycopg2://me@db/tasks"


@pytest.mark.parametrize("url", ["", "tasks.db", "mysql://db/tasks", "redis://localhost"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database"):
        parse_url(url)


def test_a_postgresql_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql://127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable, match="refused"), database.read():
        pytest.fail("it connected")
