"""The settings that workers and servers share, from the environment.

The names that Celery users know keep their names; the rest begins with ``TASKGATE_``.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from kombu import Connection
from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis import ConnectionPool
from redis.exceptions import RedisError

from taskgate.store.database.urls import hide_passwords, split_urls, with_absolute_path

STATE_FOLDER = Path(".taskgate")
"""Where the embedded default keeps its files, below the working directory."""

DEFAULT_QUEUE = "celery"
"""Celery's own default queue."""


class LogFormat(StrEnum):
    """What log lines look like."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """For programs."""


_SQL_BROKERS = ("sqla+", "sqlalchemy+")
_BROKERS = frozenset({"redis", "rediss", "redis+socket", "amqp", "amqps", "pyamqp"})
_BROKERS_IN_WORDS = (
    "redis://, rediss://, redis+socket://, amqp://, amqps://, sqla+postgresql:// or sqla+sqlite://"
)
_MIRRORS = frozenset({"redis", "rediss", "redis+socket"})
_CERTIFICATES = frozenset({"required", "optional", "none"})


def check_broker(url: str) -> str:
    """The broker's URL, one or several parted by ``;``, with the absolute path of a file.

    Raises:
        ValueError: no broker can be reached by it; the message says why, and shows no password.
    """
    if url.startswith(_SQL_BROKERS):
        return with_absolute_paths(url)
    for one in split_urls(url):
        scheme, found, _ = one.partition("://")
        if not found or scheme not in _BROKERS:
            wrong = scheme if found else hide_passwords(one)
            raise ValueError(f"{wrong!r} brokers cannot be used: use {_BROKERS_IN_WORDS}")
        _check_options(one)
    return url


def with_absolute_paths(broker_url: str) -> str:
    """The broker's URL such that it stays the same when the working directory changes.

    Raises:
        ValueError: it is of a database that cannot be used.
    """
    if not broker_url.startswith(_SQL_BROKERS):
        return broker_url
    transport, _, database = broker_url.partition("+")
    return f"{transport}+{with_absolute_path(database)}"


def _check_options(url: str) -> None:
    try:
        ssl = Connection(url).ssl
    except (KeyError, TypeError, ValueError) as exc:
        raise ValueError(f"{hide_passwords(url)!r} is no broker's URL: {exc}") from exc
    if isinstance(ssl, str):
        raise ValueError(  # noqa: TRY004 - it is the URL that is wrong
            "?ssl= has no meaning: TLS is rediss:// or amqps://"
        )


def check_mirror(url: str) -> str:
    """The result backend's URL, with the absolute path of a file.

    Raises:
        ValueError: results cannot be kept there; the message says why, and shows no password.
    """
    scheme, _, _ = url.partition("://")
    if scheme.startswith("db+"):
        return "db+" + with_absolute_path(url.removeprefix("db+"))
    if scheme not in _MIRRORS:
        raise ValueError(
            f"results cannot be mirrored to {scheme!r}: use redis://, rediss://, redis+socket://, "
            "db+postgresql:// or db+sqlite://"
        )
    if scheme != "redis+socket":
        _check_redis(url)
    return url


def _check_redis(url: str) -> None:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    certificates = options.pop("ssl_cert_reqs", "").lower().removeprefix("cert_")
    if parts.scheme == "rediss" and certificates not in _CERTIFICATES:
        raise ValueError("rediss:// needs ?ssl_cert_reqs=required, or optional, or none")
    try:
        ConnectionPool.from_url(parts._replace(query=urlencode(options)).geturl()).make_connection()
    except (TypeError, ValueError, RedisError) as exc:
        raise ValueError(f"{hide_passwords(url)!r} is not a URL of Redis: {exc}") from exc


def split_names(value: object) -> object:
    """``a, b`` as ``["a", "b"]``."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """How to reach the broker and the record, and which tasks to load.

    Relative paths are those of the working directory in which the settings are read: a task may
    change it later.

    Raises:
        pydantic.ValidationError: one of them cannot work; the message shows no password.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # it may hold a password
        validate_default=True,  # makes paths absolute
    )

    celery_broker_url: Annotated[str, AfterValidator(check_broker)] = (
        f"sqla+sqlite:///{STATE_FOLDER}/broker.db"
    )
    """``redis://…``, ``amqp://…`` or ``sqla+<database URL>``."""

    celery_broker_transport_options: dict[str, Any] = Field(default_factory=dict)
    """Kombu's options of the broker (JSON), such as ``{"global_keyprefix": "app1"}``.

    Servers need those that say where messages are: ``sep``, ``global_keyprefix``,
    ``queue_tablename``, ``message_tablename``.
    """

    celery_result_backend: Annotated[str, AfterValidator(check_mirror)] | None = None
    """Where results are mirrored in Celery's own format: ``redis://…`` or ``db+<database URL>``."""

    postgres_url: Annotated[str, AfterValidator(with_absolute_path)] = (
        f"sqlite:///{STATE_FOLDER}/record.db"
    )
    """The database that holds the record: PostgreSQL, or SQLite."""

    taskgate_tasks: Names = ()
    """Modules with task types, loaded by workers: ``package.module,other.module``."""

    taskgate_context: str | None = None
    """``package.module:factory``: makes the context manager entered around every run."""

    taskgate_queues: Names = (DEFAULT_QUEUE,)
    """Queues that exist whether or not a worker was ever seen on them."""

    taskgate_lease_seconds: float = Field(default=15.0, ge=1.0, le=3600.0)
    """How long a worker is believed to live without a sign of life, in seconds."""

    taskgate_max_result_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    """The largest result, as JSON text. A task that returns more fails with RESULT_TOO_LARGE."""

    taskgate_max_worker_losses: int = Field(default=3, ge=0, le=100)
    """How often a task may lose its worker and still be run again."""

    taskgate_worker_alive_file: Annotated[Path, AfterValidator(Path.absolute)] | None = None
    """A worker touches it every two seconds and removes it when it ends; one file a worker."""

    taskgate_log_format: LogFormat = LogFormat.TEXT
    """What log lines of servers and workers look like: ``text`` or ``json``."""

    taskgate_task_log_bytes: int = Field(default=64 * 1024, ge=0, le=1024 * 1024)
    """How much of what an attempt logs is kept in the record, the newest; 0 keeps nothing."""

    _split_names = field_validator("taskgate_tasks", "taskgate_queues", mode="before")(split_names)


def problems(error: ValidationError) -> list[str]:
    """What is wrong with the settings: a sentence each, with the variable's name if it has one."""
    return [
        ": ".join([*(str(name).upper() for name in one["loc"][:1]), _sentence(one["msg"])])
        for one in error.errors(include_input=False)
    ]


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
