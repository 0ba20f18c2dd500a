"""The calls about schedules."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from typing import Literal

from taskgate.client.connection import Connection
from taskgate.client.listing import pages
from taskgate.client.schedules import Schedule, schedule_from_message, schedule_message
from taskgate.client.submission import Submission
from taskgate.client.task import Task, task_from_message
from taskgate.v1 import schedules_pb2

Overlap = Literal["SKIP", "ALLOW", "ABORT_RUNNING"]
Missed = Literal["SKIP", "RUN_ONE", "RUN_ALL"]


class Scheduling(Connection):
    """What ``AsyncClient`` can do with schedules."""

    async def create_schedule(  # noqa: PLR0913 - as many as a schedule has fields
        self,
        task: Submission,
        *,
        schedule_id: str | None = None,
        cron: str | None = None,
        interval: float | None = None,
        time_zone: str | None = None,
        overlap_policy: Overlap | None = None,
        missed_ticks_policy: Missed | None = None,
        max_missed_ticks: int | None = None,
        description: str | None = None,
    ) -> Schedule:
        """Have a task submitted at each tick, by a cron expression or every ``interval`` seconds.

        Args:
            task: what each tick submits; without request_id, delay and times.
            schedule_id: letters, digits, dots, dashes, underscores; one is made if None.
            cron: five fields, six with seconds first, or a name such as ``@daily``.
            interval: seconds between ticks, instead.
            time_zone: the IANA name of the zone that ``cron`` is read in; UTC if None.
            overlap_policy: what a tick does while an earlier task has not ended; SKIP if None.
            missed_ticks_policy: what is made up for of ticks that nobody fired; RUN_ONE if None.
            max_missed_ticks: how many RUN_ALL makes up for; 100 if None.
            description: what it is for.

        Raises:
            InvalidRequest: a field is wrong.
            TaskgateError: another schedule has the id, or anything else went wrong.
        """
        message = schedule_message(
            {
                "task": task,
                "cron": cron,
                "interval": interval,
                "time_zone": time_zone,
                "overlap_policy": overlap_policy,
                "missed_ticks_policy": missed_ticks_policy,
                "max_missed_ticks": max_missed_ticks,
                "description": description,
            }
        )
        # With an id the call can be repeated.
        request = schedules_pb2.CreateScheduleRequest(
            schedule=message, schedule_id=schedule_id or str(uuid.uuid4())
        )
        answer = await self._caller.call(self._caller.stub.CreateSchedule, request)
        return schedule_from_message(answer.schedule)

    async def schedule(self, schedule_id: str) -> Schedule:
        """A schedule as it is now.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = schedules_pb2.GetScheduleRequest(id=schedule_id)
        answer = await self._caller.call(self._caller.stub.GetSchedule, request)
        return schedule_from_message(answer.schedule)

    async def schedules(self) -> AsyncGenerator[Schedule]:
        """Schedules, by id.

        Raises:
            TaskgateError: the call was refused.
        """
        async for page in pages(self._list_schedules, schedules_pb2.ListSchedulesRequest()):
            for message in page.schedules:
                yield schedule_from_message(message)

    async def update_schedule(  # noqa: PLR0913 - as many as a schedule has fields
        self,
        schedule_id: str,
        *,
        task: Submission | None = None,
        cron: str | None = None,
        interval: float | None = None,
        time_zone: str | None = None,
        overlap_policy: Overlap | None = None,
        missed_ticks_policy: Missed | None = None,
        max_missed_ticks: int | None = None,
        description: str | None = None,
    ) -> Schedule:
        """Change what is not None; see ``create_schedule``.

        Raises:
            InvalidRequest: a field is wrong.
            TaskgateError: there is none, or anything else went wrong.
        """
        values = {
            "task": task,
            "cron": cron,
            "interval": interval,
            "time_zone": time_zone,
            "overlap_policy": overlap_policy,
            "missed_ticks_policy": missed_ticks_policy,
            "max_missed_ticks": max_missed_ticks,
            "description": description,
        }
        request = schedules_pb2.UpdateScheduleRequest(schedule=schedule_message(values))
        request.schedule.id = schedule_id
        request.update_mask.paths.extend(name for name in values if values[name] is not None)
        answer = await self._caller.call(self._caller.stub.UpdateSchedule, request)
        return schedule_from_message(answer.schedule)

    async def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule; the tasks that it submitted stay.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = schedules_pb2.DeleteScheduleRequest(id=schedule_id)
        await self._caller.call(self._caller.stub.DeleteSchedule, request)

    async def pause_schedule(self, schedule_id: str, *, reason: str = "") -> Schedule:
        """Have a schedule tick no more.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = schedules_pb2.PauseScheduleRequest(id=schedule_id, reason=reason)
        answer = await self._caller.call(self._caller.stub.PauseSchedule, request)
        return schedule_from_message(answer.schedule)

    async def resume_schedule(self, schedule_id: str) -> Schedule:
        """Have a schedule tick again, from its next tick on.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = schedules_pb2.ResumeScheduleRequest(id=schedule_id)
        answer = await self._caller.call(self._caller.stub.ResumeSchedule, request)
        return schedule_from_message(answer.schedule)

    async def trigger_schedule(self, schedule_id: str, *, request_id: str | None = None) -> Task:
        """Submit a schedule's task now.

        Args:
            schedule_id: of which.
            request_id: calls with the same id give the same task; a new one if None.

        Raises:
            UniqueKeyHeld: another task holds the unique key.
            TaskgateError: there is none, or anything else went wrong.
        """
        request = schedules_pb2.TriggerScheduleRequest(
            id=schedule_id, request_id=str(uuid.uuid4()) if request_id is None else request_id
        )
        answer = await self._caller.call(self._caller.stub.TriggerSchedule, request)
        return task_from_message(answer.task)

    async def _list_schedules(
        self, request: schedules_pb2.ListSchedulesRequest
    ) -> schedules_pb2.ListSchedulesResponse:
        return await self._caller.call(self._caller.stub.ListSchedules, request)
