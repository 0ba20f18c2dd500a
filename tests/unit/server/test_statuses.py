"""Every error has its meaning, and every answer fits into a client's trailers."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

from taskgate.server import errors
from taskgate.server.api.statuses import MEANINGS, internal_status, meaning_of, status_of
from taskgate.server.errors import InvalidRequest, Violation, ViolationReason, Violations
from taskgate.store import errors as store_errors
from taskgate.store.errors import StoreError
from taskgate.store.lifecycle import State
from taskgate.v1.reasons import Reason


def concrete(base: type[Exception]) -> list[type[Exception]]:
    """The classes that are raised: those without subclasses."""
    subclasses = base.__subclasses__()
    return [one for sub in subclasses for one in concrete(sub)] if subclasses else [base]


@pytest.mark.parametrize("error", concrete(errors.RequestError) + concrete(StoreError))
def test_every_error_means_something(error: type[Exception]) -> None:
    assert error in MEANINGS or error in {InvalidRequest, store_errors.SchemaOutdated}


def test_every_reason_that_clients_have_is_one_of_the_servers() -> None:
    answered = {meaning.reason.value for meaning in MEANINGS.values()}
    assert {*answered, *map(str, ViolationReason), Reason.INTERNAL.value} == {*map(str, Reason)}


def test_an_error_of_our_own_means_nothing_to_clients() -> None:
    assert meaning_of(ValueError("secret")) is None
    status = internal_status("abc")
    assert status.code == code_pb2.INTERNAL
    assert "abc" in status.message


def test_facts_about_the_error() -> None:
    error = store_errors.TaskAlreadyFinal("an-id", State.SUCCEEDED)
    meaning = meaning_of(error)
    assert meaning is not None
    assert meaning.code is grpc.StatusCode.FAILED_PRECONDITION
    info = error_details_pb2.ErrorInfo()
    assert status_of(error, meaning).details[0].Unpack(info)
    assert (info.reason, info.domain) == ("TASK_ALREADY_FINAL", "taskgate")
    assert dict(info.metadata) == {"task_id": "an-id", "state": "SUCCEEDED"}


@pytest.mark.parametrize("text", ["é" * 10_000, "\ud800" * 10_000, "x" * 1_000_000])
def test_an_answer_fits_into_trailers(text: str) -> None:
    violations = Violations()
    violations.extend([Violation(text, text)] * 1000)
    with pytest.raises(InvalidRequest) as caught:
        violations.raise_if_any()
    error = caught.value
    meaning = meaning_of(error)
    assert meaning is not None
    assert status_of(error, meaning).ByteSize() < 8_000
    reused = store_errors.RequestIdReused(text, text)
    meaning = meaning_of(reused)
    assert meaning is not None
    assert status_of(reused, meaning).ByteSize() < 8_000


def test_the_first_kind_of_violation_is_the_reason() -> None:
    reasons = [
        ViolationReason.FIELD_INVALID,
        ViolationReason.ARGUMENTS_INVALID,
        ViolationReason.TASK_TYPE_UNKNOWN,
    ]
    for count, reason in enumerate(reasons, start=1):
        violations = [Violation("f", "d", one) for one in reasons[:count]]
        assert InvalidRequest(violations).reason is reason
