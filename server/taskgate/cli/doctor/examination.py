"""All that can be looked at without a server: record, clocks, workers, broker, mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from taskgate.cli.doctor import Finding, Level, problem
from taskgate.cli.doctor.broker import check_broker, check_mirror
from taskgate.cli.doctor.record import (
    check_clock,
    check_engine,
    check_presence,
    check_schema,
    check_workers,
)
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable

Check = Callable[[], Iterator[Finding]]


def examine(settings: ServerSettings) -> Iterator[tuple[str, Finding]]:
    """What was found, with its subject, as it is found."""
    yield from _examine_record(settings)
    checks: dict[str, Check] = {
        "broker": lambda: check_broker(settings),
        "mirror": lambda: check_mirror(settings.celery_result_backend),
    }
    for subject, check in checks.items():
        yield from ((subject, finding) for finding in guarded(check))


def guarded(check: Check) -> Iterator[Finding]:
    """The findings of a check; that it fails itself is a finding too."""
    try:
        yield from check()
    except StoreUnavailable as error:
        yield problem(str(error), "start the database, or set POSTGRES_URL")
    except Exception as error:  # noqa: BLE001 - the others are worth looking at all the same
        yield problem(f"this could not be looked at: {error!r}", "tell the authors of taskgate")


def _examine_record(settings: ServerSettings) -> Iterator[tuple[str, Finding]]:
    """The first problem ends it: without a record there is nothing to see of its workers."""
    missing = check_presence(settings.postgres_url)
    if missing is not None:
        yield "record", missing
        return
    with closing(Database(settings.postgres_url, pool_size=1)) as database:
        checks: list[tuple[str, Check]] = [
            ("record", lambda: check_engine(database)),
            ("record", lambda: check_schema(database)),
            ("clock", lambda: check_clock(database)),
            ("workers", lambda: check_workers(database, settings.taskgate_queues)),
        ]
        for subject, check in checks:
            for finding in guarded(check):
                yield subject, finding
                if finding.level is Level.PROBLEM and subject == "record":
                    return
