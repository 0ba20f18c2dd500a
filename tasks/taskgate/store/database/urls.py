"""The URLs of databases and brokers: which are accepted, where files are, and what may be shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import psycopg2
from psycopg2.extensions import make_dsn
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

_QUERY_PASSWORD = re.compile(
    r"(?<=[?&;])([^=&?#;]*(?:passw|secret|token)[^=&?#;]*)=[^&#;]*", re.IGNORECASE
)
_USERINFO_PASSWORD = re.compile(r"(?<=://)([^:@/?#]*):.*@", re.DOTALL)
_NEXT_URL = re.compile(r";(?=[A-Za-z0-9+.-]+://)")


def hide_passwords(url: str) -> str:
    """The URL, or several parted by ``;``, with ``**`` for passwords in userinfo and query.

    A password with unescaped ``@``, ``/`` or ``?`` is hidden, too, even if the host goes with it.
    """
    return ";".join(map(_hide, split_urls(url)))


def split_urls(urls: str) -> list[str]:
    """Several URLs that are parted by ``;``, as Celery takes them for brokers that stand in."""
    return _NEXT_URL.split(urls)


def _hide(url: str) -> str:
    return _QUERY_PASSWORD.sub(r"\1=**", _USERINFO_PASSWORD.sub(r"\1:**@", url))


def parse_url(url: str) -> URL:
    """The database URL with the driver that taskgate uses, and the file's absolute path.

    Raises:
        ValueError: it cannot be used; the message says why, and shows no password.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError) as exc:
        shown = hide_passwords(url)
        raise ValueError(f"{shown!r} is not a database URL such as postgresql://host/name") from exc
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            # SQLAlchemy 2.1 would choose psycopg 3.
            return _checked_postgresql(parsed.set(drivername="postgresql+psycopg2"))
        case "sqlite":
            return _with_absolute_path(parsed.set(drivername="sqlite+pysqlite"))
        case other:
            raise ValueError(
                f"{other!r} databases cannot hold the record, messages or results: "
                "use PostgreSQL or SQLite"
            )


def _checked_postgresql(url: URL) -> URL:
    _, options = url.get_dialect()().create_connect_args(url)
    try:
        make_dsn(**options)
    except psycopg2.ProgrammingError as exc:
        raise ValueError(f"PostgreSQL cannot be reached so: {str(exc).strip()}") from exc
    return url


def with_absolute_path(url: str) -> str:
    """The database URL such that it stays the same when the working directory changes.

    Raises:
        ValueError: it cannot be used; the message says why, and shows no password.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        return url
    return parsed.set(drivername="sqlite").render_as_string(hide_password=False)


def _with_absolute_path(url: URL) -> URL:
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise ValueError("a SQLite database in memory has one process: give it a file")
    if url.database.startswith("file:"):
        path = unquote(url.database.removeprefix("file:"))
        return url.set(database=f"file:{Path(path).absolute()}")
    return url.set(database=str(Path(url.database).absolute()))
