"""Celery's ``beat_schedule``, entry by entry, as schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from celery import Celery
from celery.app.utils import find_app
from celery.schedules import crontab, schedule

from taskgate.client import Submission

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]+")
_OPTIONS = {"queue": "queue", "priority": "priority", "expires": "ttl", "time_limit": "run_timeout"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ``beat_schedule``."""

    name: str
    task: Submission
    values: dict[str, Any] = field(default_factory=dict)
    """When, by the names of ``create_schedule``."""
    problem: str = ""
    """Why it cannot be taken over; empty if it can."""

    @property
    def id(self) -> str:
        """The id of its schedule."""
        return _NOT_IN_IDS.sub("-", self.name).strip("-")[:63] or "unnamed"


class Unfit(Exception):
    """An entry cannot be taken over."""


def entries_of(name: str) -> Iterator[Entry]:
    """The entries of the app with this name, as ``celery --app`` finds it.

    Raises:
        click.UsageError: there is no such app.
    """
    try:
        app = find_app(name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise click.UsageError(f"there is no Celery app {name!r}: {exc}") from exc
    app.finalize()
    for entry_name, entry in sorted((app.conf.beat_schedule or {}).items()):
        yield _entry(app, str(entry_name), entry)


def _entry(app: Celery, name: str, entry: dict[str, Any]) -> Entry:
    task = Submission(entry["task"])
    try:
        options = _options(entry.get("options") or {})
        kwargs = dict(entry.get("kwargs") or {})
        task = Submission(entry["task"], list(entry.get("args") or ()), kwargs, **options)
        return Entry(name, task, _timing(app, entry["schedule"]))
    except Unfit as exc:
        return Entry(name, task, problem=str(exc))


def _options(options: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(options.keys() - _OPTIONS.keys()):
        raise Unfit(f"the option {unknown[0]!r} has no counterpart in a schedule")
    values = {_OPTIONS[name]: value for name, value in options.items() if value is not None}
    for name in ("ttl", "run_timeout"):
        if name in values:
            values[name] = _seconds(name, values[name])
    return values


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)):
        return float(value)
    raise Unfit(f"{name} must be seconds or a timedelta, as each tick has its own: {value!r}")


def _timing(app: Celery, when: Any) -> dict[str, Any]:
    if isinstance(when, crontab):
        return {"cron": _expression(when), "time_zone": str(app.timezone)}
    if type(when) is schedule:
        when = when.run_every  # type: ignore[attr-defined]  # its __init__ is untyped
    if isinstance(when, (timedelta, int, float)):
        seconds = when.total_seconds() if isinstance(when, timedelta) else float(when)
        if seconds < 1:
            raise Unfit(f"an interval of {seconds:g} s is shorter than one second")
        return {"interval": seconds}
    raise Unfit(
        f"its schedule is a {type(when).__name__}: only crontab and intervals can be taken over; "
        "sunrise and sunset need their place computed, so submit these from a program of your own"
    )


def _expression(when: Any) -> str:
    """In cron's own fields, which Celery's crontab keeps as they were given."""
    days, weekdays = _field(when._orig_day_of_month), _field(when._orig_day_of_week)  # noqa: SLF001
    if not (days.startswith("*") or weekdays.startswith("*")):
        raise Unfit(
            "Celery's crontab wants both day_of_month and day_of_week to fit, cron one of them: "
            "give one of the two"
        )
    minutes, hours = _field(when._orig_minute), _field(when._orig_hour)  # noqa: SLF001
    months = _field(when._orig_month_of_year)  # noqa: SLF001
    return f"{minutes} {hours} {days} {months} {weekdays}"


def _field(given: Any) -> str:
    if isinstance(given, (str, int)):
        return str(given).replace(" ", "")
    return ",".join(str(one) for one in sorted(given))
