"""The calls about schedules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from taskgate.server.api.lists import DEFAULT_PAGE_SIZE, PageTokens, fitting, page_size
from taskgate.server.api.submissions import Submissions
from taskgate.server.callers import Caller
from taskgate.server.errors import InvalidRequest, Violations
from taskgate.server.messages.schedules import schedule_message
from taskgate.server.messages.tasks import task_message
from taskgate.server.records import Records
from taskgate.server.requests import fields
from taskgate.server.requests import schedules as requests
from taskgate.server.requests.catalog import Catalog, Known
from taskgate.store import events, queries, schedules
from taskgate.store.database import clock
from taskgate.store.errors import ScheduleNotFound, StoreUnavailable
from taskgate.store.record import Timing, new_task_id
from taskgate.store.schedules import NewSchedule, Schedule
from taskgate.tasks import timetable
from taskgate.tasks.settings import DEFAULT_QUEUE
from taskgate.v1 import schedules_pb2

logger = logging.getLogger(__name__)

NEXT_TIMES = 5
UPDATE_TRIES = 5

Change = Callable[[Connection, Schedule], None]


@dataclass(frozen=True, slots=True)
class Schedules:
    """Makes, changes and shows what ticks."""

    submissions: Submissions
    records: Records
    catalog: Catalog

    async def create(
        self, request: schedules_pb2.CreateScheduleRequest, caller: Caller
    ) -> schedules_pb2.CreateScheduleResponse:
        """Record a schedule.

        Raises:
            InvalidRequest: fields are wrong.
            PermissionDenied: the caller may not submit such tasks.
            PayloadTooLarge: the arguments are too long.
            ScheduleExists: another schedule has the id.
            StoreUnavailable: the database does not answer.
        """
        schedule_id = request.schedule_id or new_task_id()
        new = await self._new(request.schedule, schedule_id, caller)
        task_type = request.schedule.task.task_type

        def apply(tx: Connection) -> schedules_pb2.Schedule:
            _record(tx, "CreateSchedule", task_type, schedule_id, caller)
            next_at = timetable.next_tick(new.timing, clock.read(tx))
            return _message(tx, schedules.create(tx, new, next_at, caller.name))

        message = await self.records.write(apply)
        logger.info("schedule %s created by %r", schedule_id, caller.name)
        return schedules_pb2.CreateScheduleResponse(schedule=message)

    async def get(
        self, request: schedules_pb2.GetScheduleRequest, caller: Caller
    ) -> schedules_pb2.GetScheduleResponse:
        """A schedule.

        Raises:
            ScheduleNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        found = await self._find(request.id, caller)
        message = await self.records.read(lambda tx: _message(tx, found))
        return schedules_pb2.GetScheduleResponse(schedule=message)

    async def list(
        self, request: schedules_pb2.ListSchedulesRequest, caller: Caller
    ) -> schedules_pb2.ListSchedulesResponse:
        """A page of the schedules that the caller sees, by id.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListSchedules")
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = tokens.read(request.page_token, length=1)
        known = await self.catalog.recent()

        def answer(tx: Connection) -> schedules_pb2.ListSchedulesResponse:
            limit = size + 1 if caller.sees_all else None
            found = schedules.list_after(tx, after[0] if after else "", limit)
            rest = [one for one in found if _sees(caller, one, known)]
            shown = list(fitting(_messages(tx, rest[:size])))
            has_more = len(rest) > len(shown)
            return schedules_pb2.ListSchedulesResponse(
                schedules=shown,
                next_page_token=tokens.write([shown[-1].id]) if has_more else "",
            )

        return await self.records.read(answer)

    async def update(
        self, request: schedules_pb2.UpdateScheduleRequest, caller: Caller
    ) -> schedules_pb2.UpdateScheduleResponse:
        """Change fields of a schedule.

        Raises:
            InvalidRequest: fields are wrong.
            ScheduleNotFound: there is none that the caller sees.
            PermissionDenied: the caller may not submit such tasks.
            PayloadTooLarge: the arguments are too long.
            StoreUnavailable: the database does not answer, or others change it again and again.
        """
        for _ in range(UPDATE_TRIES):
            seen = await self._find(request.schedule.id, caller, "schedule.id")
            wanted = requests.merged(schedule_message(seen), request)
            new = await self._new(wanted, seen.id, caller)

            def apply(
                tx: Connection, seen: Schedule = seen, new: NewSchedule = new
            ) -> schedules_pb2.Schedule | None:
                found = schedules.find(tx, seen.id, for_update=True)
                if found.revision != seen.revision:
                    return None
                next_at = found.next_at
                if new.timing != found.timing and found.paused_at is None:
                    next_at = _next_at(tx, found, new.timing)
                schedules.change(tx, found, new, next_at)
                _record(tx, "UpdateSchedule", found.task.task_type, found.id, caller)
                return _message(tx, schedules.find(tx, found.id))

            message = await self.records.write(apply)
            if message is not None:
                return schedules_pb2.UpdateScheduleResponse(schedule=message)
        raise StoreUnavailable(f"schedule {request.schedule.id} is changed by others all the time")

    async def delete(
        self, request: schedules_pb2.DeleteScheduleRequest, caller: Caller
    ) -> schedules_pb2.DeleteScheduleResponse:
        """Delete a schedule.

        Raises:
            ScheduleNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        found = await self._find(request.id, caller)

        def apply(tx: Connection) -> None:
            schedules.remove(tx, found.id)
            _record(tx, "DeleteSchedule", found.task.task_type, found.id, caller)

        await self.records.write(apply)
        logger.info("schedule %s deleted by %r", found.id, caller.name)
        return schedules_pb2.DeleteScheduleResponse()

    async def pause(
        self, request: schedules_pb2.PauseScheduleRequest, caller: Caller
    ) -> schedules_pb2.PauseScheduleResponse:
        """Have a schedule tick no more.

        Raises:
            InvalidRequest: fields are wrong.
            ScheduleNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """
        violations = Violations()
        reason = fields.text(request.reason, "reason", fields.MAX_REASON_LENGTH, violations)
        violations.raise_if_any()

        def change(tx: Connection, found: Schedule) -> None:
            if found.paused_at is None:
                schedules.pause(tx, found, by=caller.name, reason=reason)

        message = await self._change("PauseSchedule", request.id, caller, change)
        return schedules_pb2.PauseScheduleResponse(schedule=message)

    async def resume(
        self, request: schedules_pb2.ResumeScheduleRequest, caller: Caller
    ) -> schedules_pb2.ResumeScheduleResponse:
        """Have a schedule tick again.

        Raises:
            ScheduleNotFound: there is none that the caller sees.
            StoreUnavailable: the database does not answer.
        """

        def change(tx: Connection, found: Schedule) -> None:
            if found.paused_at is not None:
                schedules.resume(tx, found, _next_at(tx, found, found.timing))

        message = await self._change("ResumeSchedule", request.id, caller, change)
        return schedules_pb2.ResumeScheduleResponse(schedule=message)

    async def trigger(
        self, request: schedules_pb2.TriggerScheduleRequest, caller: Caller
    ) -> schedules_pb2.TriggerScheduleResponse:
        """Submit a schedule's task now, whatever its policies say.

        Raises:
            RequestError: the task is refused.
            ScheduleNotFound: there is none that the caller sees.
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer.
        """
        found = await self._find(request.id, caller)
        submission = requests.submission(schedule_message(found).task)
        submission.request_id = request.request_id
        task = await self.submissions.submit_of_schedule(submission, found.id, caller)
        logger.info("schedule %s triggered by %r: task %s", found.id, caller.name, task.id)
        return schedules_pb2.TriggerScheduleResponse(task=task_message(task))

    async def _new(
        self, message: schedules_pb2.Schedule, schedule_id: str, caller: Caller
    ) -> NewSchedule:
        requests.schedule_id(schedule_id, "schedule_id")
        values = requests.read(message)
        try:
            request = requests.submission(message.task)
            new = await self.submissions.admission.template(request, caller)
        except InvalidRequest as exc:
            prefixed = [replace(one, field=f"schedule.task.{one.field}") for one in exc.violations]
            raise InvalidRequest(prefixed) from exc
        return NewSchedule(id=schedule_id, template=schedules.to_template(new), **values)

    async def _find(self, schedule_id: str, caller: Caller, field: str = "id") -> Schedule:
        requests.schedule_id(schedule_id, field)
        found = await self.records.read(lambda tx: schedules.find(tx, schedule_id))
        if not caller.sees_all and not _sees(caller, found, await self.catalog.recent()):
            raise ScheduleNotFound(schedule_id)
        return found

    async def _change(
        self, call: str, schedule_id: str, caller: Caller, change: Change
    ) -> schedules_pb2.Schedule:
        await self._find(schedule_id, caller)

        def apply(tx: Connection) -> schedules_pb2.Schedule:
            found = schedules.find(tx, schedule_id, for_update=True)
            change(tx, found)
            _record(tx, call, found.task.task_type, schedule_id, caller)
            return _message(tx, schedules.find(tx, schedule_id))

        message = await self.records.write(apply)
        logger.info("%s %s by %r", call, schedule_id, caller.name)
        return message


def _record(tx: Connection, call: str, task_type: str, schedule_id: str, caller: Caller) -> None:
    detail = f"schedule {schedule_id}"
    events.record(tx, events.Call("", task_type, "", call, caller.name, caller.peer, detail))


def _sees(caller: Caller, schedule: Schedule, known: Known) -> bool:
    if caller.sees_all:
        return True
    new = schedule.task
    own = known.types.get(new.task_type)
    return caller.sees(new.task_type, new.queue or (own.queue if own else DEFAULT_QUEUE))


def _next_at(tx: Connection, schedule: Schedule, timing: Timing) -> datetime | None:
    """The first tick to come; never one that was fired already, should the clock be put back."""
    now = clock.read(tx)
    return timetable.next_tick(timing, max(now, schedule.last_at or now))


def _message(tx: Connection, schedule: Schedule) -> schedules_pb2.Schedule:
    [message] = _messages(tx, [schedule])
    return message


def _messages(tx: Connection, found: Sequence[Schedule]) -> list[schedules_pb2.Schedule]:
    ids = {one.last_task_id for one in found if one.last_task_id is not None}
    last = queries.get_many(tx, ids) if ids else {}
    return [
        schedule_message(one, _next_times(one), last.get(one.last_task_id or "")) for one in found
    ]


def _next_times(schedule: Schedule) -> list[datetime]:
    """None of a schedule whose time zone is gone: its ticks say so."""
    if schedule.next_at is None:
        return []
    try:
        following = timetable.next_ticks(schedule.timing, schedule.next_at, NEXT_TIMES - 1)
    except ValueError:
        following = []
    return [schedule.next_at, *following]
