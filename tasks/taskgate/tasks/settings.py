"""The settings that workers and servers share, from the environment.

The names that Celery users know keep their names; the rest begins with ``TASKGATE_``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from taskgate.store.engine import parse_url

STATE_FOLDER = Path(".taskgate")
"""Where the embedded default keeps its files, below the working directory."""

DEFAULT_QUEUE = "celery"
"""Celery's own default queue."""


def _names(value: object) -> object:
    """``a, b`` as ``["a", "b"]``."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """How to reach the broker and the record, and which tasks to load."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    celery_broker_url: str = f"sqla+sqlite:///{STATE_FOLDER}/broker.db"
    """``redis://…``, ``amqp://…`` or ``sqla+<database URL>``."""

    celery_result_backend: str | None = None
    """Where results are mirrored in Celery's own format: ``redis://…`` or ``db+<database URL>``."""

    postgres_url: str = f"sqlite:///{STATE_FOLDER}/record.db"
    """The database that holds the record: PostgreSQL, or SQLite."""

    taskgate_tasks: Names = ()
    """Modules with task types, loaded by workers: ``package.module,other.module``."""

    taskgate_context: str | None = None
    """``package.module:factory``: makes the context manager entered around every run."""

    taskgate_queues: Names = (DEFAULT_QUEUE,)
    """Queues that exist whether or not a worker was ever seen on them."""

    taskgate_lease_seconds: float = Field(default=15.0, ge=1.0, le=3600.0)
    """How long a worker is believed to live without a sign of life, in seconds."""

    taskgate_max_worker_losses: int = Field(default=3, ge=0, le=100)
    """How often a task may lose its worker and still be run again."""

    _split_names = field_validator("taskgate_tasks", "taskgate_queues", mode="before")(_names)

    @field_validator("postgres_url")
    @classmethod
    def _is_database_url(cls, url: str) -> str:
        parse_url(url)
        return url
