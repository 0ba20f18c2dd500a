"""Task types that are replaced by others, or extend the chord that they are in."""

from __future__ import annotations

from typing import Any

from celery import chord, group

from support.celery_features import total, twice
from taskgate.tasks import TaskgateTask, task


@task(name="replacing.with_task", bind=True)
def with_task(self: TaskgateTask, x: int, **options: Any) -> None:
    """Go on as another task."""
    self.replace(twice.s(x).set(**options))


@task(name="replacing.fails")
def fails(x: int) -> None:
    """Fail."""
    raise ValueError(x)


@task(name="replacing.with_canvas", bind=True)
def with_canvas(self: TaskgateTask, kind: str, x: int) -> None:
    """Go on as the last task of a canvas."""
    canvas: dict[str, Any] = {
        "chain": twice.s(x) | twice.s() | twice.s(),
        "group": group(twice.s(x), twice.s(x + 1)),
        "chord": chord([twice.s(x), twice.s(x + 1)], total.s()),
        "chord with a chain": chord([twice.s(x), twice.s(x + 1)], total.s() | twice.s()),
        "failing chain": fails.s(x) | twice.s(),
        "failing header": chord([fails.s(x), twice.s(x)], total.s()),
        "chain with a group": twice.s(x) | group(twice.s(), twice.s()) | total.s(),
    }
    self.replace(canvas[kind])


@task(name="replacing.by_itself", bind=True)
def by_itself(self: TaskgateTask, times: int) -> int:
    """Go on as another run of this, so many times."""
    if times:
        return self.replace(by_itself.s(times - 1))
    return int(self.request.replaced_task_nesting)


@task(name="replacing.fails_once", bind=True, max_retries=1, default_retry_delay=0)
def fails_once(self: TaskgateTask, x: int) -> list[int]:
    """Be retried once."""
    if not self.request.retries:
        raise self.retry()
    return [x, self.request.retries]


@task(name="replacing.with_one_that_fails_once", bind=True)
def with_one_that_fails_once(self: TaskgateTask, x: int) -> None:
    """Go on as a task, the last of a chain, that is retried."""
    chain: Any = twice.s(x) | fails_once.s()
    self.replace(chain)


@task(name="replacing.adds_to_chord", bind=True)
def adds_to_chord(self: TaskgateTask, x: int) -> int:
    """Have the chord's body wait for another part."""
    self.add_to_chord(twice.s(x))
    return x


@task(name="replacing.waits_for_late", bind=True)
def waits_for_late(self: TaskgateTask, x: int) -> None:
    """Go on as a task that follows one in a queue that nobody reads yet."""
    chain: Any = twice.s(x).set(queue="late") | twice.s()
    self.replace(chain)
