"""The database's clock, the only one by which leases and due times are judged.

Hosts disagree about the time; the database is one. All times are UTC with microseconds on
PostgreSQL and milliseconds on SQLite.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Float, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from taskgate.store.database.columns import UtcDateTime

CENTURY = timedelta(days=36_525)


class after(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function that it is
    """The database's time so many seconds from now."""

    type = UtcDateTime()
    inherit_cache = True
    name = "after"


@compiles(after, "postgresql")
def _after_postgresql(element: after, compiler: SQLCompiler, **options: Any) -> str:
    # Not now(), which stands still within a transaction, nor clock_timestamp(), which no index can
    # be searched with because it moves within a statement.
    seconds = compiler.process(element.clauses, **options)
    return f"statement_timestamp() + make_interval(secs => {seconds})"


@compiles(after, "sqlite")
def _after_sqlite(element: after, compiler: SQLCompiler, **options: Any) -> str:
    # Six digits of fraction, as SQLAlchemy writes them: texts of one length compare as times do.
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('%+.3f seconds', {seconds}))"


class later(FunctionElement[datetime]):  # noqa: N801 - as above
    """A time, so many seconds later."""

    type = UtcDateTime()
    inherit_cache = True
    name = "later"


@compiles(later, "postgresql")
def _later_postgresql(element: later, compiler: SQLCompiler, **options: Any) -> str:
    time, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{time} + make_interval(secs => {seconds})"


@compiles(later, "sqlite")
def _later_sqlite(element: later, compiler: SQLCompiler, **options: Any) -> str:
    time, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"strftime('%Y-%m-%d %H:%M:%f000', {time}, printf('%+.3f seconds', {seconds}))"


class between(FunctionElement[float]):  # noqa: N801 - as above
    """Seconds from one time to a later one."""

    type = Float()
    inherit_cache = True
    name = "between"


@compiles(between, "postgresql")
def _between_postgresql(element: between, compiler: SQLCompiler, **options: Any) -> str:
    earlier, later_one = (compiler.process(clause, **options) for clause in element.clauses)
    return f"extract(epoch FROM {later_one} - {earlier})::float"


@compiles(between, "sqlite")
def _between_sqlite(element: between, compiler: SQLCompiler, **options: Any) -> str:
    earlier, later_one = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(julianday({later_one}) - julianday({earlier})) * 86400.0"


def in_(delay: timedelta) -> ColumnElement[datetime]:
    """The database's time, ``delay`` from now, as an SQL expression."""
    return after(literal(bounded(delay).total_seconds(), Float))


def before(seconds: ColumnElement[float]) -> ColumnElement[datetime]:
    """The database's time, as many seconds ago as a column says; NULL for NULL."""
    return after(-seconds)


def bounded(delay: timedelta) -> timedelta:
    """The delay, a century at most: databases and Python end their calendars at different years."""
    return max(-CENTURY, min(delay, CENTURY))


def now() -> ColumnElement[datetime]:
    """The database's time, as an SQL expression."""
    return in_(timedelta(0))


def read(tx: Connection) -> datetime:
    """The database's time."""
    return tx.execute(select(now())).scalar_one()
