"""All that the doctor looks at, subject by subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from taskgate.cli.doctor.broker import look_at_broker
from taskgate.cli.doctor.clock import look_at_clock
from taskgate.cli.doctor.finding import Finding, Level, problem
from taskgate.cli.doctor.mirror import look_at_mirror
from taskgate.cli.doctor.record import absent, look_at_engine, look_at_schema
from taskgate.cli.doctor.server import look_at_server
from taskgate.cli.doctor.workers import look_at_workers
from taskgate.client import Client
from taskgate.server.settings import ServerSettings
from taskgate.store.engine import Database
from taskgate.store.errors import StoreUnavailable

Look = Callable[[], Iterator[Finding]]


def examine(settings: ServerSettings, client: Client) -> Iterator[tuple[str, Finding]]:
    """What was found, with its subject, as it is found."""
    yield from _of_the_record(settings)
    subjects: dict[str, Look] = {
        "broker": lambda: look_at_broker(settings),
        "mirror": lambda: look_at_mirror(settings.celery_result_backend),
        "server": lambda: look_at_server(client, insecure=settings.taskgate_insecure),
    }
    for subject, look in subjects.items():
        yield from ((subject, finding) for finding in _guarded(look))


def _of_the_record(settings: ServerSettings) -> Iterator[tuple[str, Finding]]:
    """The first problem ends it: without a record there is nothing to see of its workers."""
    missing = absent(settings.postgres_url)
    if missing is not None:
        yield "record", missing
        return
    with closing(Database(settings.postgres_url, pool_size=1)) as database:
        subjects: list[tuple[str, Look]] = [
            ("record", lambda: look_at_engine(database)),
            ("record", lambda: look_at_schema(database)),
            ("clock", lambda: look_at_clock(database)),
            ("workers", lambda: look_at_workers(database, settings.taskgate_queues)),
        ]
        for subject, look in subjects:
            for finding in _guarded(look):
                yield subject, finding
                if finding.level is Level.PROBLEM and subject == "record":
                    return


def _guarded(look: Look) -> Iterator[Finding]:
    """What a look finds; if it fails itself, that is the problem found."""
    try:
        yield from look()
    except StoreUnavailable as error:
        yield problem(str(error), "start the database, or set POSTGRES_URL")
    except Exception as error:  # noqa: BLE001 - the others are worth looking at all the same
        yield problem(f"this could not be looked at: {error!r}", "tell the authors of taskgate")
