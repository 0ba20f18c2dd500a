"""Tasks that log in all the ways there are."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from celery.utils.log import get_task_logger

from taskgate.tasks import TaskgateTask, task

plain = logging.getLogger("shop.orders")
celerys = get_task_logger("shop.tasks")


@task(name="logging.all_ways")
def all_ways(name: str) -> str:
    """Log with the standard library, with Celery's logger, with an exception, and print."""
    plain.warning("%s: an order", name)
    celerys.warning("%s: a task", name)
    print(f"{name}: printed")
    sys.stderr.write(f"{name}: to standard error\n")
    plain.debug("%s: nobody wants to know", name)
    logging.getLogger("celery.app").warning("%s: of a library", name)
    try:
        int(name)
    except ValueError:
        plain.exception("%s: an exception", name)
    return name


@task(name="logging.until")
def until(path: str) -> None:
    """Log a line, then wait until a file is there."""
    plain.warning("waiting")
    while not Path(path).exists():
        time.sleep(0.05)
    plain.warning("done")


@task(name="logging.fails", bind=True, max_retries=1)
def fails(self: TaskgateTask) -> None:
    """Log, and fail, twice."""
    plain.error("attempt %d", self.request.retries + 1)
    raise self.retry(exc=ValueError("no"), countdown=0)


@task(name="logging.many")
def many(lines: int, characters: int) -> None:
    """Log much."""
    for number in range(lines):
        plain.warning("%d %s", number, "x" * characters)
