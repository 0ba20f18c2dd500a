"""The mirror: another Celery result backend that is told what the record says.

For programs that read results in Redis or a database as Celery keeps them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg2.extensions
from celery import Celery, states
from celery.app.task import Context
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from taskgate.store.database.urls import hide_passwords, parse_url
from taskgate.store.record import Task
from taskgate.tasks.results import meta_of

ANSWER_SECONDS = 3
"""How long to wait for each answer of the mirror."""


class MirrorUnavailable(Exception):
    """The mirror does not answer; tell it again later."""


class Mirror:
    """A result backend that takes what it is told, in bounded time. For one thread."""

    def __init__(self, url: str) -> None:
        """``url``: ``redis://…`` or ``db+<database URL>``, as for CELERY_RESULT_BACKEND.

        Raises:
            ValueError: it is another kind of URL.
        """
        self._app = Celery("taskgate-mirror", set_as_current=False)
        self._app.conf.update(_configuration(url))
        # As in the environment it would override the configuration, and name no driver.
        cast("Any", self._app).backend_cls = self._app.conf["result_backend"]
        self._backend: Any = self._app.backend

    @property
    def name(self) -> str:
        """The mirror's URL without its password."""
        return hide_passwords(str(self._backend.as_uri()))

    def ask(self) -> None:
        """Make sure that it answers.

        Raises:
            MirrorUnavailable: it does not.
        """
        with _translated_errors():
            self._backend.get_task_meta("taskgate", cache=False)

    def tell(self, task: Task) -> None:
        """Write a task's state and result in Celery's own format.

        Raises:
            MirrorUnavailable: it did not take them.
        """
        meta = meta_of(task.id, task)
        result = meta["result"]
        if meta["status"] in states.EXCEPTION_STATES:
            result = self._backend.exception_to_python(result)
        with _translated_errors():
            self._backend.store_result(
                task.id,
                result,
                meta["status"],
                traceback=meta["traceback"],
                request=_request_of(meta),
            )


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, SQLAlchemyError, OSError) as exc:
        raise MirrorUnavailable(f"the mirror does not answer: {exc!r}") from exc


def _configuration(url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    common = {
        "result_extended": True,
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_backend_always_retry": False,  # whoever tells it tries again
    }
    if scheme in {"redis", "rediss", "redis+socket", "sentinel"}:
        return common | {
            "result_backend": url,
            "redis_socket_timeout": ANSWER_SECONDS,
            "redis_socket_connect_timeout": ANSWER_SECONDS,
            "result_backend_transport_options": {
                "retry_policy": {"max_retries": 0, "timeout": ANSWER_SECONDS}
            },
        }
    if scheme.startswith("db+"):
        database = parse_url(f"{scheme.removeprefix('db+')}://{rest}")
        return common | {
            # At the first write: a server starts without its mirror.
            "database_create_tables_at_setup": False,
            "result_backend": "db+" + database.render_as_string(hide_password=False),
            "database_engine_options": _engine_options(database.get_backend_name()),
        }
    raise ValueError(f"{scheme!r} result backends cannot be mirrored to: use redis:// or db+…")


def _engine_options(backend_name: str) -> dict[str, Any]:
    if backend_name != "postgresql":
        return {"connect_args": {"timeout": ANSWER_SECONDS}}
    return {
        "connect_args": {
            "connect_timeout": ANSWER_SECONDS,
            "cursor_factory": _BoundedCursor,
            "tcp_user_timeout": ANSWER_SECONDS * 1000,
        }
    }


class _BoundedCursor(psycopg2.extensions.cursor):
    """Bounds each statement; PgBouncer, if it stands in between, takes no option of a session."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        bound = f"SET LOCAL statement_timeout = '{ANSWER_SECONDS}s'; "
        super().execute(bound + query, vars)


def _request_of(meta: dict[str, Any]) -> Context:
    """What Celery's backends ask a request for."""
    return Context(
        task=meta["name"],
        args=meta["args"],
        kwargs=meta["kwargs"],
        hostname=meta["worker"],
        retries=meta["retries"],
        delivery_info={"routing_key": meta["queue"]},
        group=meta["group_id"],
        parent_id=meta["parent_id"],
        children=meta["children"],
    )
