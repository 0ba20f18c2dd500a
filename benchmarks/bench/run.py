"""Runs subjects one after the other, and keeps what they gave even where one fails."""

from __future__ import annotations

import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.environment import Environment, Scale
from bench.measurements import Measured, Row
from bench.subjects import Subject

logger = logging.getLogger(__name__)


def run(
    subjects: Sequence[Subject],
    scale: Scale,
    *,
    minutes: float | None = None,
    report: Callable[[Subject, Row], None] = lambda _subject, _row: None,
) -> Iterator[Measured]:
    """Measure subjects; ``report`` hears of each row at once.

    ``minutes``: begin no subject once they are over.
    """
    deadline = None if minutes is None else time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory(prefix="taskgate-bench-") as folder, ExitStack() as exits:
        environment = Environment(Path(folder), exits)
        Path(folder).chmod(0o755)  # PostgreSQL's user passes through
        for subject in subjects:
            if deadline is not None and time.monotonic() > deadline:
                logger.warning("%s: no time left", subject.name)
                continue
            yield _measure(subject, environment, scale, report)


def _measure(
    subject: Subject,
    environment: Environment,
    scale: Scale,
    report: Callable[[Subject, Row], None],
) -> Measured:
    rows: list[Row] = []
    problem = ""
    begun_at = time.monotonic()
    try:
        for row in subject.measure(environment, scale):
            rows.append(row)
            report(subject, row)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other subjects go on
        traceback.print_exception(error)
        problem = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    logger.info("%s: %.0f s", subject.name, time.monotonic() - begun_at)
    date = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return Measured(subject.name, machine.commit(), date, scale.rounds, tuple(rows), problem)
