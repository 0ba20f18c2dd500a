from __future__ import annotations

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import NotRegistered
from celery.utils.serialization import UnpickleableExceptionWrapper

from taskgate.store.lifecycle import Reason
from taskgate.tasks.failures import celery_error, failure_of
from taskgate.tasks.serializing import ResultNotSerializable
from taskgate.tasks.signature import ArgumentsInvalid


class Own(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Own(), Reason.EXCEPTION),
        (WorkerLostError("gone"), Reason.WORKER_LOST),
        (TimeLimitExceeded(3), Reason.TIMED_OUT),
        (ResultNotSerializable("object"), Reason.RESULT_NOT_SERIALIZABLE),
        (NotRegistered("x"), Reason.TASK_TYPE_NOT_REGISTERED),
        (ArgumentsInvalid("x"), Reason.ARGUMENTS_INVALID),
    ],
)
def test_reasons(error: Exception, reason: Reason) -> None:
    assert failure_of(error).reason is reason


def test_an_exception_as_celery_keeps_it() -> None:
    failure = failure_of(Own("no", 2, object), "the traceback")

    assert (failure.module, failure.type, failure.traceback) == (
        __name__,
        "Own",
        "the traceback",
    )
    assert celery_error(failure) == {
        "exc_type": "Own",
        "exc_message": ["no", 2, repr(object)],
        "exc_module": __name__,
    }


def test_what_a_program_wrote_in_place_of_an_exception() -> None:
    failure = failure_of({"exc_type": "Own", "exc_message": ["by", "hand"]})

    assert (failure.type, failure.message) == ("Own", "by, hand")
    assert failure_of("just text").message == "just text"
    assert failure_of(None).message == "None"


def test_an_exception_that_could_not_leave_its_process() -> None:
    wrapper = UnpickleableExceptionWrapper("some.module", "Odd", ("a", 1))

    failure = failure_of(wrapper)

    assert (failure.module, failure.type, failure.args) == ("some.module", "Odd", '["a", 1]')
