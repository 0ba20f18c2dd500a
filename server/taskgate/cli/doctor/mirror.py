"""The mirror: where results are told in Celery's own format."""

from __future__ import annotations

from collections.abc import Iterator

from taskgate.cli.doctor.finding import Finding, ok, problem
from taskgate.tasks.mirror import Mirror, MirrorUnavailable


def look_at_mirror(url: str | None) -> Iterator[Finding]:
    """Whether CELERY_RESULT_BACKEND, if it is set, answers."""
    if url is None:
        yield ok("none: results are in the record alone (CELERY_RESULT_BACKEND is not set)")
        return
    try:
        mirror = Mirror(url)
    except ValueError as error:
        yield problem(f"CELERY_RESULT_BACKEND: {error}", "choose one of those, or unset it")
        return
    try:
        mirror.ask()
    except MirrorUnavailable as error:
        yield problem(
            f"{mirror.name}: {error}; tasks run all the same, and it is told later",
            "start it, or unset CELERY_RESULT_BACKEND",
        )
    else:
        yield ok(f"{mirror.name} answers; servers tell it every state and result")
