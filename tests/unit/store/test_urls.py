from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskgate.store.database.urls import hide_passwords, parse_url, with_absolute_path


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


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:secret@db:port/x", "is not a database URL"),
        ("postgresql://u:secret@db/x?pasword=secret", 'invalid connection option "pasword"'),
        ("mysql://u:secret@db/x", "'mysql' databases cannot hold"),
        ("u:secret@db", "is not a database URL"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in memory"),
    ],
)
def test_what_cannot_work_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_url(url)
    if "://" in url:
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:///record.db", "{here}/record.db"),
        ("sqlite:///a b/é.db", "{here}/a b/é.db"),
        ("sqlite:///~/record.db", "{here}/~/record.db"),
        ("sqlite:////var/record.db", "/var/record.db"),
        ("sqlite:///file:record.db?uri=true", "file:{here}/record.db"),
    ],
)
def test_a_relative_path_is_that_of_the_working_directory(
    url: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path.cwd()
    again = with_absolute_path(url)
    monkeypatch.chdir(tmp_path)
    assert parse_url(again).database == database.format(here=here)
    assert Path.cwd() != here
    assert os.path.isabs(str(parse_url(url).database).removeprefix("file:"))  # noqa: PTH117


def test_what_is_quoted_in_a_path_is_read_once() -> None:
    url = "sqlite:////var/a%2520b.db"
    assert parse_url(with_absolute_path(url)) == parse_url(url)


def test_other_urls_stay_as_they_are() -> None:
    url = "postgresql://u:p%40@db/x?sslmode=require"
    assert with_absolute_path(url) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@db/x", "postgresql://u:**@db/x"),
        ("postgresql://db/x?user=u&password=secret", "postgresql://db/x?user=u&password=**"),
        (
            "postgresql://db/x?sslpassword=secret&sslmode=require",
            "postgresql://db/x?sslpassword=**&sslmode=require",
        ),
        ("redis://:secret@h:6379/0", "redis://:**@h:6379/0"),
        ("redis://h/0?PASSWORD=secret", "redis://h/0?PASSWORD=**"),
        ("amqp://u:secret@a//;amqp://u:secret@b//", "amqp://u:**@a//;amqp://u:**@b//"),
        ("sqla+postgresql://u:secret@db/x", "sqla+postgresql://u:**@db/x"),
        ("taskgate+db+x://u:se%40cret@h", "taskgate+db+x://u:**@h"),
        ("redis://:se/secret?@#secret@h/0", "redis://:**@h/0"),
        ("redis://:secret;secret@h/0", "redis://:**@h/0"),
        ("redis://:secret secret@h/0", "redis://:**@h/0"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("sqlite:////var/record.db", "sqlite:////var/record.db"),
        ("", ""),
    ],
)
def test_passwords_are_hidden_in_any_form(url: str, shown: str) -> None:
    assert hide_passwords(url) == shown
    assert hide_passwords(shown) == shown
