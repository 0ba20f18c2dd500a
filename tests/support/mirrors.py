"""A mirror as a Celery program that knows nothing of taskgate reads it."""

from __future__ import annotations

from celery import Celery


def reader_of(url: str) -> Celery:
    """A program with the mirror for its result backend; close it at the end.

    ``url``: as CELERY_RESULT_BACKEND. The program names its driver: SQLAlchemy 2.1 would choose
    psycopg 3.
    """
    app = Celery("reader", set_as_current=False)
    app.conf["result_backend"] = url.replace("db+postgresql://", "db+postgresql+psycopg2://")
    app.conf["result_extended"] = True
    return app
