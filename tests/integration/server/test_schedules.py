"""The calls about schedules: what they answer, refuse and record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import update

from support.records import FAILURE, WORKER, read
from support.serving import SECONDS, refused
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.tables import schedules as table
from taskgate.v1 import events_pb2, task_pb2, task_service_pb2
from taskgate.v1 import schedules_pb2 as pb
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def template(**values: Any) -> pb.TaskTemplate:
    arguments = '{"args": [1, 2], "kwargs": {}}'
    return pb.TaskTemplate(**{"task_type": "demo.add", "arguments_json": arguments, **values})


def schedule(**values: Any) -> pb.Schedule:
    timing = {} if "interval" in values else {"cron": "30 2 * * *", "time_zone": "Europe/Berlin"}
    return pb.Schedule(**{"task": template(), **timing, **values})


def create(stub: TaskServiceStub, name: str = "nightly", **values: Any) -> pb.Schedule:
    request = pb.CreateScheduleRequest(schedule_id=name, schedule=schedule(**values))
    return stub.CreateSchedule(request, timeout=SECONDS).schedule


def get(stub: TaskServiceStub, name: str = "nightly") -> pb.Schedule:
    return stub.GetSchedule(pb.GetScheduleRequest(id=name), timeout=SECONDS).schedule


def change(stub: TaskServiceStub, *paths: str, name: str = "nightly", **values: Any) -> pb.Schedule:
    mask = FieldMask(paths=paths)
    request = pb.UpdateScheduleRequest(schedule=pb.Schedule(id=name, **values), update_mask=mask)
    return stub.UpdateSchedule(request, timeout=SECONDS).schedule


def make_due(database: Database, name: str) -> None:
    with database.write() as tx:
        due = clock.in_(timedelta(seconds=-1))
        tx.execute(update(table).where(table.c.id == name).values(next_at=due))


def test_created_shown_and_deleted(stub: TaskServiceStub, database: Database) -> None:
    made = create(stub, description="accounts", task=template(labels={"team": "web"}))
    assert made.id == "nightly"
    assert (made.cron, made.time_zone, made.task.labels["team"]) == (
        "30 2 * * *",
        "Europe/Berlin",
        "web",
    )
    assert [value.number_value for value in made.task.args.values] == [1, 2]
    assert made.overlap_policy == pb.OVERLAP_POLICY_SKIP
    assert made.missed_ticks_policy == pb.MISSED_TICKS_POLICY_RUN_ONE
    assert (made.max_missed_ticks, len(made.next_times)) == (100, 5)
    assert get(stub) == made
    assert create(stub, description="accounts", task=template(labels={"team": "web"})) == made
    other = pb.CreateScheduleRequest(schedule_id="nightly", schedule=schedule(cron="@daily"))
    exists = refused(stub.CreateSchedule, other)
    assert (exists.code, exists.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SCHEDULE_EXISTS")
    assert exists.metadata["schedule_id"] == "nightly"
    unnamed = create(stub, "")
    first = stub.ListSchedules(pb.ListSchedulesRequest(page_size=1), timeout=SECONDS)
    after = pb.ListSchedulesRequest(page_size=1, page_token=first.next_page_token)
    second = stub.ListSchedules(after, timeout=SECONDS)
    assert [one.id for one in [*first.schedules, *second.schedules]] == [unnamed.id, "nightly"]
    assert second.next_page_token == ""
    stub.DeleteSchedule(pb.DeleteScheduleRequest(id="nightly"), timeout=SECONDS)
    for call, request in (
        (stub.GetSchedule, pb.GetScheduleRequest(id="nightly")),
        (stub.DeleteSchedule, pb.DeleteScheduleRequest(id="nightly")),
        (stub.PauseSchedule, pb.PauseScheduleRequest(id="nightly")),
        (stub.TriggerSchedule, pb.TriggerScheduleRequest(id="nightly")),
    ):
        assert refused(call, request).reason == "SCHEDULE_NOT_FOUND"

    def calls() -> set[tuple[str, str]]:
        answer = stub.ListEvents(events_pb2.ListEventsRequest(), timeout=SECONDS)
        return {(one.call, one.detail) for one in answer.events}

    wanted = {(f"{call}Schedule", "schedule nightly") for call in ("Create", "Delete")}
    wait_until(lambda: wanted <= calls(), 30, "the events")


def test_fields_are_changed(stub: TaskServiceStub) -> None:
    made = create(stub, description="a")
    changed = change(stub, description="b")
    assert (changed.description, changed.cron) == ("b", made.cron)
    assert changed.next_times == made.next_times
    changed = change(stub, "interval", interval=Duration(seconds=3600))
    assert (changed.interval.seconds, changed.cron, changed.time_zone) == (3600, "", "")
    assert changed.next_times != made.next_times
    changed = change(stub, "cron", "description", cron="@daily")
    assert (changed.cron, changed.time_zone, changed.description) == ("@daily", "UTC", "")
    changed = change(
        stub, task=template(kwargs=None, arguments_json='{"args": [3, 4], "kwargs": {}}')
    )
    assert [value.number_value for value in changed.task.args.values] == [3, 4]
    request = pb.UpdateScheduleRequest(
        schedule=pb.Schedule(id="nightly"), update_mask=FieldMask(paths=["create_time"])
    )
    assert list(refused(stub.UpdateSchedule, request).violations) == ["update_mask"]


def test_a_tick_and_its_task(stub: TaskServiceStub, database: Database) -> None:
    create(stub, interval=Duration(seconds=3600))
    make_due(database, "nightly")
    wait_until(lambda: get(stub).tick_counts.submitted == 1, 30, "a tick")
    tick = get(stub).last_tick
    assert (tick.outcome, tick.task_state) == (
        pb.TICK_OUTCOME_SUBMITTED,
        task_pb2.TASK_STATE_QUEUED,
    )
    found = stub.List(task_service_pb2.ListRequest(schedule="nightly"), timeout=SECONDS).tasks
    assert [(one.id, one.schedule) for one in found] == [(tick.task_id, "nightly")]
    assert found[0].schedule_time == tick.tick_time
    with database.write() as tx:
        assert transitions.claim(tx, tick.task_id, 1, WORKER)
        assert transitions.fail(tx, tick.task_id, 1, FAILURE)
    tick = get(stub).last_tick
    assert (tick.task_state, tick.task_error.message) == (task_pb2.TASK_STATE_FAILED, "no")
    retried = stub.Retry(task_service_pb2.RetryRequest(id=tick.task_id), timeout=SECONDS).task
    assert retried.schedule == "nightly"


def test_paused_and_resumed(stub: TaskServiceStub, database: Database) -> None:
    create(stub)
    request = pb.PauseScheduleRequest(id="nightly", reason="holidays")
    paused = stub.PauseSchedule(request, timeout=SECONDS).schedule
    assert (paused.pause.reason, len(paused.next_times)) == ("holidays", 0)
    again = pb.PauseScheduleRequest(id="nightly", reason="other")
    assert stub.PauseSchedule(again, timeout=SECONDS).schedule.pause == paused.pause
    assert len(change(stub, cron="@hourly").next_times) == 0
    resumed = stub.ResumeSchedule(pb.ResumeScheduleRequest(id="nightly"), timeout=SECONDS).schedule
    assert (resumed.HasField("pause"), len(resumed.next_times)) == (False, 5)


def test_triggered(stub: TaskServiceStub, database: Database) -> None:
    create(stub)
    request = pb.TriggerScheduleRequest(id="nightly", request_id="once")
    task = stub.TriggerSchedule(request, timeout=SECONDS).task
    assert stub.TriggerSchedule(request, timeout=SECONDS).task.id == task.id
    assert read(database, task.id).schedule == "nightly"
    assert get(stub).tick_counts == pb.TickCounts()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("schedule.cron", {"cron": "61 * * * *"}),
        ("schedule.time_zone", {"cron": "@daily", "time_zone": "Mars/Base"}),
        ("schedule.interval", {"interval": Duration(nanos=1)}),
        ("schedule.interval", {"interval": Duration(seconds=-5)}),
        ("schedule.timing", {"cron": None}),
        ("schedule.max_missed_ticks", {"max_missed_ticks": 1001}),
        ("schedule.overlap_policy", {"overlap_policy": 9}),
        ("schedule.missed_ticks_policy", {"missed_ticks_policy": 9}),
        ("schedule.task.task_type", {"task": template(task_type="demo.adds")}),
        (
            "schedule.task.args",
            {"task": template(arguments_json='{"args": ["x", 2], "kwargs": {}}')},
        ),
        ("schedule.task.priority", {"task": template(priority=10)}),
    ],
)
def test_what_is_refused(stub: TaskServiceStub, field: str, values: dict[str, Any]) -> None:
    request = pb.CreateScheduleRequest(schedule_id="a", schedule=schedule(**values))
    refusal = refused(stub.CreateSchedule, request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [one.partition("[")[0] for one in refusal.violations] == [field], refusal.violations


@pytest.mark.parametrize("name", ["a b", "x" * 64, "é", "a/b"])
def test_what_is_no_id(stub: TaskServiceStub, name: str) -> None:
    request = pb.CreateScheduleRequest(schedule_id=name, schedule=schedule())
    assert list(refused(stub.CreateSchedule, request).violations) == ["schedule_id"]
    assert list(refused(stub.GetSchedule, pb.GetScheduleRequest(id=name)).violations) == ["id"]


def test_a_template_has_the_numbers_of_a_submission() -> None:
    submission = task_service_pb2.SubmitRequest.DESCRIPTOR.fields_by_name
    for field in pb.TaskTemplate.DESCRIPTOR.fields:
        other = submission[field.name]
        assert (field.number, field.type, field.message_type) == (
            other.number,
            other.type,
            other.message_type,
        ) or field.name == "labels"
