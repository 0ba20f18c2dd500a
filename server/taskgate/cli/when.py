"""Times on the command line: ``2h`` (ago), ``2026-11-22``, ``2026-11-22T10:00``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from taskgate.cli.seconds import SECONDS


class When(click.ParamType[datetime]):
    """A time: how long ago it was, or itself; local unless it says otherwise."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The time, in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return self._ago(value, param, ctx)

    def _ago(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.now(UTC) - timedelta(seconds=SECONDS.convert(text, None, None))
        except (click.BadParameter, OverflowError):
            self.fail(f"{text!r} is no time such as 2h (ago) or 2026-11-22T10:00", param, ctx)


WHEN = When()
