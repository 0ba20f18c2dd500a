"""What errors mean to gRPC clients: one table, and the google.rpc.Status made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from taskgate.server import errors
from taskgate.server.text import fit, printable
from taskgate.store import errors as store_errors
from taskgate.v1.reasons import Reason

DOMAIN = "taskgate"

MAX_DETAIL_BYTES = 4_000
"""Details travel in HTTP/2 trailers, of which many clients take 8 KiB in all."""

MAX_MESSAGE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of error means to a client. The reasons stand in error_reason.proto."""

    code: grpc.StatusCode
    reason: Reason
    retry_after: timedelta | None = None


MEANINGS: Mapping[type[Exception], Meaning] = {
    store_errors.TaskNotFound: Meaning(grpc.StatusCode.NOT_FOUND, Reason.TASK_NOT_FOUND),
    store_errors.TaskNotFinal: Meaning(grpc.StatusCode.FAILED_PRECONDITION, Reason.TASK_NOT_FINAL),
    store_errors.TaskAlreadyFinal: Meaning(
        grpc.StatusCode.FAILED_PRECONDITION, Reason.TASK_ALREADY_FINAL
    ),
    store_errors.RequestIdReused: Meaning(grpc.StatusCode.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED),
    store_errors.UniqueKeyHeld: Meaning(grpc.StatusCode.ALREADY_EXISTS, Reason.UNIQUE_KEY_HELD),
    store_errors.OperationNotFound: Meaning(grpc.StatusCode.NOT_FOUND, Reason.OPERATION_NOT_FOUND),
    store_errors.ScheduleNotFound: Meaning(grpc.StatusCode.NOT_FOUND, Reason.SCHEDULE_NOT_FOUND),
    store_errors.ScheduleExists: Meaning(grpc.StatusCode.ALREADY_EXISTS, Reason.SCHEDULE_EXISTS),
    store_errors.StoreUnavailable: Meaning(
        grpc.StatusCode.UNAVAILABLE, Reason.STORE_UNAVAILABLE, retry_after=timedelta(seconds=1)
    ),
    store_errors.RecordLocked: Meaning(
        grpc.StatusCode.UNAVAILABLE, Reason.STORE_UNAVAILABLE, retry_after=timedelta(seconds=1)
    ),
    store_errors.ValueRefused: Meaning(grpc.StatusCode.INVALID_ARGUMENT, Reason.FIELD_INVALID),
    store_errors.TooManyTasks: Meaning(grpc.StatusCode.INVALID_ARGUMENT, Reason.FIELD_INVALID),
    errors.MalformedRequest: Meaning(grpc.StatusCode.INVALID_ARGUMENT, Reason.REQUEST_MALFORMED),
    errors.PayloadTooLarge: Meaning(grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.PAYLOAD_TOO_LARGE),
    errors.MessageTooLarge: Meaning(grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.MESSAGE_TOO_LARGE),
    errors.CallUnknown: Meaning(grpc.StatusCode.UNIMPLEMENTED, Reason.CALL_UNKNOWN),
    errors.TooManyCalls: Meaning(
        grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.TOO_MANY_CALLS, retry_after=timedelta(seconds=1)
    ),
    errors.QueueFull: Meaning(
        grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.QUEUE_FULL, retry_after=timedelta(seconds=5)
    ),
    errors.CannotForceAbort: Meaning(
        grpc.StatusCode.FAILED_PRECONDITION, Reason.CANNOT_FORCE_ABORT
    ),
    errors.TokenMissing: Meaning(grpc.StatusCode.UNAUTHENTICATED, Reason.TOKEN_MISSING),
    errors.TokenUnknown: Meaning(grpc.StatusCode.UNAUTHENTICATED, Reason.TOKEN_UNKNOWN),
    errors.RoleMissing: Meaning(grpc.StatusCode.PERMISSION_DENIED, Reason.ROLE_MISSING),
    errors.TaskTypeNotAllowed: Meaning(
        grpc.StatusCode.PERMISSION_DENIED, Reason.TASK_TYPE_NOT_ALLOWED
    ),
    errors.QueueNotAllowed: Meaning(grpc.StatusCode.PERMISSION_DENIED, Reason.QUEUE_NOT_ALLOWED),
    errors.ShuttingDown: Meaning(
        grpc.StatusCode.UNAVAILABLE, Reason.SHUTTING_DOWN, retry_after=timedelta(seconds=1)
    ),
}
"""Every error that a client can be answered, but for InvalidRequest, which has its own reasons."""

_FACTS = ("task_id", "state", "request_id", "operation_id", "schedule_id")


def meaning_of(error: Exception) -> Meaning | None:
    """What an error means to a client; None for an error of the server's own."""
    if isinstance(error, errors.InvalidRequest):
        return Meaning(grpc.StatusCode.INVALID_ARGUMENT, Reason(error.reason))
    return MEANINGS.get(type(error))


def status_of(error: Exception, meaning: Meaning) -> status_pb2.Status:
    """The status to answer, its details within what a client's transport takes."""
    status = _status(meaning.code, str(error))
    _add(status, _error_info(meaning.reason, _facts(error)))
    if meaning.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(meaning.retry_after)
        _add(status, retry)
    if isinstance(error, errors.InvalidRequest):
        _add(status, _bad_request(error.violations))
    return status


def internal_status(incident: str) -> status_pb2.Status:
    """The status of an error that is the server's own: the incident's id, and nothing else."""
    status = _status(
        grpc.StatusCode.INTERNAL, f"the server failed; its log has the incident {incident}"
    )
    _add(status, _error_info(Reason.INTERNAL, {"incident": incident}))
    return status


def _status(code: grpc.StatusCode, message: str) -> status_pb2.Status:
    number, _ = code.value
    return status_pb2.Status(code=number, message=fit(printable(message), MAX_MESSAGE_LENGTH))


def _add(status: status_pb2.Status, detail: Message) -> None:
    status.details.add().Pack(detail)


def _error_info(reason: Reason, facts: Mapping[str, str]) -> error_details_pb2.ErrorInfo:
    metadata = {name: fit(printable(value), 256) for name, value in facts.items()}
    return error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)


def _facts(error: Exception) -> dict[str, str]:
    facts = {name: str(getattr(error, name)) for name in _FACTS if hasattr(error, name)}
    if isinstance(error, errors.RequestError):
        facts.update(error.metadata)
    return facts


def _bad_request(violations: Iterable[errors.Violation]) -> error_details_pb2.BadRequest:
    bad_request = error_details_pb2.BadRequest()
    for violation in violations:
        bad_request.field_violations.add(
            field=printable(violation.field),
            description=printable(violation.description),
            reason=violation.reason,
        )
        if bad_request.ByteSize() > MAX_DETAIL_BYTES:
            del bad_request.field_violations[-1]
            break
    return bad_request
