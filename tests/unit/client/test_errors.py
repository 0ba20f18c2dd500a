"""Errors as they arrive over a real channel, from a server that answers what a test tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import NoReturn

import grpc
import pytest
from google.rpc import error_details_pb2

from support.scripted import STATUS_KEY, Script, answer, info, refuse
from taskgate import client as taskgate
from taskgate.v1 import task_pb2
from taskgate.v1.reasons import Reason

_QUEUED = task_pb2.TASK_STATE_QUEUED

_DELAY = 0.3
"""Seconds after which a server that has too much to do wants to be called again."""


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND", taskgate.TaskNotFound),
        (grpc.StatusCode.INVALID_ARGUMENT, "TASK_TYPE_UNKNOWN", taskgate.TaskTypeUnknown),
        (grpc.StatusCode.INVALID_ARGUMENT, "ARGUMENTS_INVALID", taskgate.ArgumentsInvalid),
        (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", taskgate.InvalidRequest),
        (grpc.StatusCode.FAILED_PRECONDITION, "TASK_NOT_FINAL", taskgate.TaskNotFinal),
        (grpc.StatusCode.FAILED_PRECONDITION, "TASK_ALREADY_FINAL", taskgate.TaskAlreadyFinal),
        (grpc.StatusCode.FAILED_PRECONDITION, "CANNOT_FORCE_ABORT", taskgate.CannotForceAbort),
        (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", taskgate.RequestIdReused),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", taskgate.QueueFull),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "PAYLOAD_TOO_LARGE", taskgate.PayloadTooLarge),
        (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_UNKNOWN", taskgate.Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING", taskgate.PermissionDenied),
        (grpc.StatusCode.INTERNAL, "OF_A_LATER_VERSION", taskgate.TaskgateError),
        (grpc.StatusCode.FAILED_PRECONDITION, "OF_A_LATER_VERSION", taskgate.TaskgateError),
    ],
)
def test_each_reason_has_its_class(
    script: Script,
    address: str,
    code: grpc.StatusCode,
    reason: str,
    kind: type[taskgate.TaskgateError],
) -> None:
    script.steps = [refuse(code, "what was wrong", info(reason, task_id="some-id"))]
    with taskgate.Client(address) as client, pytest.raises(kind) as raised:
        client.task("some-id").get()
    error = raised.value
    assert type(error) is kind
    assert (error.code, error.reason, error.message) == (code, reason, "what was wrong")
    assert error.metadata == {"task_id": "some-id"}
    assert str(error) == "what was wrong"
    assert error.violations == ()
    assert error.retry_after is None


def test_violations_and_retry_time_come_along(script: Script, address: str) -> None:
    request = error_details_pb2.BadRequest()
    request.field_violations.add(field="kwargs.x", description="is no number")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    script.steps = [refuse(grpc.StatusCode.INVALID_ARGUMENT, "bad", request, retry)]
    with taskgate.Client(address) as client, pytest.raises(taskgate.InvalidRequest) as raised:
        client.task("some-id").get()
    assert raised.value.violations == (taskgate.Violation("kwargs.x", "is no number"),)
    assert raised.value.retry_after == 1.5


def test_an_error_of_somebody_between_needs_no_details(script: Script, address: str) -> None:
    def step(context: grpc.ServicerContext) -> NoReturn:
        context.set_trailing_metadata(((STATUS_KEY, b"\xff no status"),))
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "a proxy's own words")

    script.steps = [step]
    with taskgate.Client(address) as client, pytest.raises(taskgate.PermissionDenied) as raised:
        client.task("some-id").get()
    assert raised.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert raised.value.reason == ""


def test_a_call_is_repeated_while_the_server_is_unavailable(script: Script, address: str) -> None:
    away = refuse(grpc.StatusCode.UNAVAILABLE, "restarting")
    script.steps = [away, away, answer(task_pb2.TASK_STATE_QUEUED)]
    with taskgate.Client(address) as client:
        assert client.task("some-id").get().state is taskgate.State.QUEUED
    assert len(script.calls) == 3


def test_a_call_among_too_many_is_repeated_when_the_server_asked_for(
    script: Script, address: str
) -> None:
    times: list[float] = []

    def step(context: grpc.ServicerContext) -> task_pb2.Task:
        times.append(time.monotonic())
        step = _exhausted(Reason.TOO_MANY_CALLS) if len(times) < 3 else answer(_QUEUED)
        return step(context)

    script.steps = [step]
    with taskgate.Client(address) as client:
        client.task("some-id").get()
    assert len(times) == 3
    assert times[1] - times[0] >= _DELAY


def test_a_full_queue_is_told_at_once(script: Script, address: str) -> None:
    script.steps = [_exhausted(Reason.QUEUE_FULL)]
    with taskgate.Client(address) as client, pytest.raises(taskgate.QueueFull):
        client.task("some-id").get()
    assert len(script.calls) == 1


def _exhausted(reason: str) -> Callable[[grpc.ServicerContext], task_pb2.Task]:
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(int(_DELAY * 1000))
    return refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "too much", info(reason), retry)


def test_a_frozen_server_is_given_up_at_the_deadline(script: Script, address: str) -> None:
    def step(context: grpc.ServicerContext) -> task_pb2.Task:
        given_up = Event()
        context.add_callback(given_up.set)
        given_up.wait(30)
        return task_pb2.Task()

    script.steps = [step]
    with (
        taskgate.Client(address, timeout=0.2) as client,
        pytest.raises(taskgate.DeadlineExceeded),
    ):
        client.task("some-id").get()


def test_the_token_goes_with_each_call(script: Script, address: str) -> None:
    script.steps = [answer(task_pb2.TASK_STATE_QUEUED)]
    with taskgate.Client(address, token="secret", plain_text_token=True) as client:
        client.task("some-id").get()
    assert script.tokens == ["Bearer secret"]


@pytest.mark.parametrize("client", [taskgate.Client, taskgate.AsyncClient])
def test_a_token_is_not_sent_in_plain_text_unless_told_to(
    client: type[taskgate.Client | taskgate.AsyncClient],
) -> None:
    with pytest.raises(ValueError, match="plain_text_token=True"):
        client("127.0.0.1:1", token="secret")


@pytest.mark.parametrize("token", ["two\nlines", "schlüssel"])
def test_a_token_that_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not a line of printable ASCII"):
        taskgate.Client("127.0.0.1:1", token=token)


def test_waiting_outlasts_more_failures_than_a_call_does(script: Script, address: str) -> None:
    away = refuse(grpc.StatusCode.UNAVAILABLE, "restarting")
    script.steps = [away] * 7 + [answer(task_pb2.TASK_STATE_SUCCEEDED)]
    with taskgate.Client(address) as client:
        assert client.task("some-id").wait(60).state is taskgate.State.SUCCEEDED


def test_waiting_ends_with_its_time(script: Script, address: str) -> None:
    script.steps = [answer(task_pb2.TASK_STATE_RUNNING)]
    with taskgate.Client(address) as client:
        with pytest.raises(taskgate.WaitTimeout, match=r"some-id has not ended in 0\.3 s"):
            client.task("some-id").wait(0.3)
        with pytest.raises(taskgate.WaitTimeout):
            client.task("some-id").result(0)


def test_waiting_does_not_outlast_a_refusal(script: Script, address: str) -> None:
    script.steps = [refuse(grpc.StatusCode.NOT_FOUND, "no", info("TASK_NOT_FOUND"))]
    with taskgate.Client(address) as client, pytest.raises(taskgate.TaskNotFound):
        client.task("some-id").wait()
    assert len(script.calls) == 1


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (task_pb2.TASK_STATE_FAILED, taskgate.TaskFailed),
        (task_pb2.TASK_STATE_ABORTED, taskgate.TaskAborted),
        (task_pb2.TASK_STATE_EXPIRED, taskgate.TaskExpired),
    ],
)
def test_a_task_without_a_result_raises(
    script: Script,
    address: str,
    state: task_pb2.TaskState.ValueType,
    kind: type[taskgate.TaskUnsuccessful],
) -> None:
    script.steps = [answer(task_pb2.TASK_STATE_RUNNING), answer(state)]
    with taskgate.Client(address) as client, pytest.raises(kind) as raised:
        client.task("some-id").result(30)
    assert raised.value.task.id == "some-id"


def test_a_state_of_a_later_version_is_not_final(script: Script, address: str) -> None:
    script.steps = [answer(99)]  # type: ignore[arg-type]
    with taskgate.Client(address) as client:
        task = client.task("some-id").get()
    assert task.state is taskgate.State.UNSPECIFIED
    assert not task.is_final


def test_a_call_that_the_server_cancels_is_repeated(script: Script, address: str) -> None:
    dropped = refuse(grpc.StatusCode.CANCELLED, "not begun")
    script.steps = [dropped, dropped, answer(task_pb2.TASK_STATE_SUCCEEDED)]
    with taskgate.Client(address) as client:
        assert client.task("some-id").wait(60).is_final
    script.steps = [dropped, answer(task_pb2.TASK_STATE_QUEUED)]
    with taskgate.Client(address) as client:
        assert client.task("some-id").get().state is taskgate.State.QUEUED


def test_a_call_is_given_up_when_its_time_to_be_repeated_is_over(
    script: Script, address: str
) -> None:
    script.steps = [refuse(grpc.StatusCode.UNAVAILABLE, "restarting")]
    for client in (
        taskgate.Client(address, timeout=0.4),
        taskgate.Client(address, timeout=60, retry_timeout=0.4),
    ):
        with client, pytest.raises(taskgate.Unavailable, match="restarting"):
            client.task("some-id").get()
    calls = len(script.calls)
    with taskgate.Client(address, retry_timeout=0) as once, pytest.raises(taskgate.Unavailable):
        once.task("some-id").get()
    assert len(script.calls) == calls + 1


def test_closing_ends_calls_for_good(script: Script, address: str) -> None:
    client = taskgate.Client(address)

    def step(_context: grpc.ServicerContext) -> task_pb2.Task:
        client.close()
        return task_pb2.Task()

    script.steps = [step]
    with pytest.raises(taskgate.TaskgateError) as raised:
        client.task("some-id").get()
    assert raised.value.code is grpc.StatusCode.CANCELLED
    assert len(script.calls) == 1


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    script: Script, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody answers there
    for name in ("grpc_proxy", "https_proxy", "no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    port = address.rpartition(":")[2]
    targets = (address, f"localhost:{port}", f"dns:///localhost:{port}")
    script.steps = [answer(task_pb2.TASK_STATE_QUEUED)] * len(targets)
    for target in targets:
        with taskgate.Client(target) as client:
            assert client.task("some-id").get().state is taskgate.State.QUEUED
