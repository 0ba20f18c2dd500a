"""GetLogs: what a task has logged, and what it logs next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from taskgate.server.api.lists import PageTokens, fitting, refuse_token
from taskgate.server.api.polling import LongPolls
from taskgate.server.callers import Caller
from taskgate.server.errors import Violations
from taskgate.server.messages.values import timestamp
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.server.text import printable
from taskgate.store import logs, queries
from taskgate.store.logs import AttemptLog
from taskgate.v1 import logs_pb2

MOST_LINES = 1_000
"""In one answer."""

MOST_ATTEMPTS = 50
"""Whose logs are read for one answer."""


class Place(NamedTuple):
    """A line's place in a task's log."""

    attempt: int
    number: int


@dataclass(frozen=True, slots=True)
class Logs:
    """Answers what tasks have logged."""

    records: Records
    polls: LongPolls

    async def get(
        self, request: logs_pb2.GetLogsRequest, caller: Caller, time_remaining: float | None
    ) -> logs_pb2.GetLogsResponse:
        """The lines after a place, at once or when there are some, or when the task has ended.

        ``time_remaining``: seconds until the call's deadline; None if it has none.

        Raises:
            InvalidRequest: fields are wrong.
            TaskNotFound: there is no such record.
            StoreUnavailable: the database does not answer.
        """
        task_id = await self.records.resolve_id(fields.task_id(request.id))
        violations = Violations()
        wait = fields.duration(request.wait, "wait", violations)
        violations.raise_if_any()
        tokens = PageTokens.of("GetLogs", task_id)
        after = _place(tokens.read(request.after, length=2, field="after"))

        def read(tx: Connection) -> logs_pb2.GetLogsResponse:
            task = queries.get(tx, task_id)
            caller.check_sees(task_id, task.task_type, task.queue)
            # After the task: what it logs last is written before its end.
            found = logs.read(tx, task_id, after.attempt, MOST_ATTEMPTS)
            new = islice(_lines(found, after), MOST_LINES + 1)
            lines = list(fitting(new))[:MOST_LINES]
            last = Place(lines[-1].attempt, lines[-1].number) if lines else after
            return logs_pb2.GetLogsResponse(
                lines=lines,
                cursor=tokens.write([str(last.attempt), str(last.number)]),
                has_more=next(_lines(found, last), None) is not None or len(found) == MOST_ATTEMPTS,
                is_final=task.is_final,
            )

        async def look() -> tuple[logs_pb2.GetLogsResponse, bool]:
            answer = await self.records.read(read)
            return answer, bool(answer.lines) or answer.is_final

        seconds = fields.seconds_to_wait(wait, self.polls.longest, time_remaining)
        return await self.polls.until_news(look, seconds)


def _lines(found: Iterable[AttemptLog], after: Place) -> Iterator[logs_pb2.LogLine]:
    for log in found:
        for number, line in enumerate(log.lines, start=log.dropped + 1):
            if Place(log.attempt, number) > after:
                yield logs_pb2.LogLine(
                    time=timestamp(datetime.fromtimestamp(line.time, UTC)),
                    attempt=log.attempt,
                    number=number,
                    level=line.level,
                    logger=printable(line.logger),
                    message=printable(line.message),
                )


def _place(parts: list[str] | None) -> Place:
    if parts is None:
        return Place(0, 0)
    try:
        return Place(*map(int, parts))
    except ValueError:
        refuse_token("it is no answer's cursor", "after")
