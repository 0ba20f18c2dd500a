"""What Celery users know works on the record, unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery import chain, chord, group
from celery.contrib.abortable import AbortableAsyncResult
from celery.exceptions import ChordError, CPendingDeprecationWarning, TaskRevokedError
from celery.exceptions import TimeoutError as CeleryTimeout
from celery.result import GroupResult
from sqlalchemy import select

from support.celery_system import System, failure_of
from support.waiting import wait_until
from taskgate.store.lifecycle import Outcome, Reason, State
from taskgate.store.record import new_task_id
from taskgate.store.tables import tasks

pytestmark = pytest.mark.parametrize(
    "system", ["sqla+sqlite-threads", "redis+postgresql-prefork"], indirect=True
)

SECONDS = 30


def test_result_and_what_is_known_of_the_task(system: System) -> None:
    result = system.app.signature("demo.add", (1,), {"y": 2}).apply_async()

    assert result.get(timeout=SECONDS) == 3
    assert result.state == "SUCCESS"
    assert result.successful()
    assert (result.name, result.args, result.kwargs) == ("demo.add", [1], {"y": 2})
    assert (result.retries, result.queue) == (0, "celery")
    assert result.worker == system.task(result.id).worker
    assert result.date_done is not None


def test_unknown_id_is_pending(system: System) -> None:
    assert system.app.AsyncResult("nobody").state == "PENDING"
    assert not system.app.backend.task_result_exists("nobody")


def test_exception_comes_back(system: System) -> None:
    result = system.app.signature("demo.fail", ("no luck",)).delay()

    with pytest.raises(RuntimeError, match="no luck"):
        result.get(timeout=SECONDS)
    assert result.state == "FAILURE"
    assert "RuntimeError: no luck" in result.traceback
    assert failure_of(system.task(result.id)).reason is Reason.EXCEPTION


def test_exception_of_ones_own_comes_back_with_its_arguments(system: System) -> None:
    result = system.app.signature("features.give_up").delay()

    error = result.get(timeout=SECONDS, propagate=False)
    assert type(error).__name__ == "Own"
    assert error.args == ("enough", 2)
    assert result.retries == 1


def test_autoretry_leaves_the_history_of_its_attempts(system: System) -> None:
    result = system.app.signature("journal.flaky", (1,)).delay()

    assert result.get(timeout=SECONDS) == 1
    task = system.task(result.id)
    assert [entry.attempt for entry in system.journal.of(result.id)] == [1, 2, 2]
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.FAILED, Outcome.SUCCEEDED]
    assert "ValueError" in repr(task.attempts[0].failure)


def test_retry_with_other_arguments_and_countdown(system: System) -> None:
    result = system.app.signature("features.count_retries", (2,)).delay()

    assert result.get(timeout=SECONDS) == [2, 20]


def test_retry_with_other_arguments_keeps_the_keywords(system: System) -> None:
    kwargs = {"x": 1, "label": "kept"}
    result = system.app.signature("features.retries_with_other_args", kwargs=kwargs).delay()

    assert result.get(timeout=SECONDS) == [2, "kept"]


def test_retry_that_does_not_throw(system: System) -> None:
    result = system.app.signature("features.retry_without_throwing").delay()

    assert result.get(timeout=SECONDS) == 1


def test_progress(system: System) -> None:
    result = system.app.signature("demo.countdown", (2,)).delay()

    wait_until(lambda: result.state == "PROGRESS", SECONDS)
    assert result.info["total"] == 2
    assert result.info["current"] < 2
    assert result.get(timeout=SECONDS) == 2


def test_abort_while_running(system: System) -> None:
    result: Any = AbortableAsyncResult(
        system.app.signature("journal.abortable", (60,)).delay().id, app=system.app
    )
    wait_until(lambda: "start" in system.journal.words(result.id), SECONDS)

    result.abort()

    assert system.wait_final(result.id, timeout=20).state is State.ABORTED
    assert system.journal.words(result.id) == ["start", "saw-abort"]
    assert result.is_aborted()
    with pytest.raises(TaskRevokedError):
        result.get(timeout=SECONDS)


def test_abort_of_a_task_that_never_looks(system: System) -> None:
    result: Any = AbortableAsyncResult(
        system.app.signature("journal.run", (1, "done")).delay().id, app=system.app
    )
    wait_until(lambda: "start" in system.journal.words(result.id), SECONDS)

    result.abort()

    assert result.get(timeout=SECONDS) == "done"
    task = system.task(result.id)
    assert task.state is State.SUCCEEDED
    assert task.abort_requested_at is not None


def test_abort_before_the_message_is_there(system: System) -> None:
    task_id = new_task_id()
    AbortableAsyncResult(task_id, app=system.app).abort()

    system.app.signature("journal.run").apply_async(task_id=task_id)

    system.wait_log(f"task {task_id} does not run here")
    assert system.task(task_id).state is State.ABORTED
    assert system.journal.words(task_id) == []


def test_abort_of_a_finished_task_changes_nothing(system: System) -> None:
    result = system.app.signature("demo.add", (1, 2)).delay()
    result.get(timeout=SECONDS)

    AbortableAsyncResult(result.id, app=system.app).abort()

    assert system.task(result.id).state is State.SUCCEEDED


def test_group(system: System) -> None:
    add = system.app.signature("demo.add")
    result: Any = group([add.clone((n, n)) for n in range(4)], app=system.app).apply_async()

    assert result.get(timeout=SECONDS) == [0, 2, 4, 6]


def test_saved_group(system: System) -> None:
    add = system.app.signature("demo.add")
    result: Any = group([add.clone((1, 1))], app=system.app).apply_async()
    result.save(backend=system.app.backend)

    found = GroupResult.restore(result.id, app=system.app)

    assert found.get(timeout=SECONDS) == [2]
    found.delete(backend=system.app.backend)
    assert GroupResult.restore(result.id, app=system.app) is None


def test_chain(system: System) -> None:
    twice = system.app.signature("features.twice")
    result: Any = chain(
        twice.clone((1,)), twice.clone(), twice.clone(), app=system.app
    ).apply_async()

    assert result.get(timeout=SECONDS) == 8
    assert result.parent.parent.get(timeout=SECONDS) == 2
    assert result.parent.children == [result]


def test_chain_ends_where_a_task_fails(system: System) -> None:
    app = system.app
    failing = chain(app.signature("demo.fail", ("no",)), app.signature("demo.echo"), app=app)
    result = failing.apply_async()

    with pytest.raises(RuntimeError, match="no"):
        result.get(timeout=SECONDS)
    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).message) == (State.FAILED, "no")


def test_link_and_link_error(system: System) -> None:
    app = system.app
    good = app.signature("features.twice", (2,))
    linked = app.signature("journal.run", kwargs={"seconds": 0})
    linked.set(immutable=True, task_id=new_task_id())
    bad = app.signature("demo.fail", ("no",))
    on_error = app.signature("journal.run", kwargs={"seconds": 0})
    on_error.set(immutable=True, task_id=new_task_id())

    good.apply_async(link=linked)
    bad.apply_async(link_error=on_error)

    for task_id in (linked.id, on_error.id):
        system.wait_final(task_id)
        assert system.journal.words(task_id) == ["start", "end"]


def test_chord(system: System) -> None:
    add, total = system.app.signature("demo.add"), system.app.signature("features.total")

    result = chord([add.clone((n, 1)) for n in range(4)], total, app=system.app).apply_async()

    assert result.get(timeout=SECONDS) == 1 + 2 + 3 + 4


def test_chord_with_a_failing_part(system: System) -> None:
    app = system.app
    failing = app.signature("demo.fail", ("no",)).set(task_id=new_task_id())

    result = chord(
        [app.signature("demo.add", (1, 1)), failing], app.signature("features.total"), app=app
    ).apply_async()

    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).type) == (State.FAILED, "ChordError")
    assert f"Dependency {failing.id} raised RuntimeError('no')" in failure_of(task).message
    with pytest.raises(RuntimeError, match="no"):  # what made it fail, as Celery's own backends say
        result.get(timeout=SECONDS)


def test_chord_with_a_failing_chord_in_its_header(system: System) -> None:
    """Both end: on Celery's Redis backend the outer one waits for ever."""
    app = system.app
    twice, total = app.signature("features.twice", (1,)), app.signature("features.total")
    inner = chord([twice, app.signature("demo.fail", ("no",))], total.clone(), app=app)
    errback = app.signature("journal.run", kwargs={"seconds": 0}, immutable=True)

    outer = chord(group([twice.clone(), inner], app=app), total, app=app)

    def ended_errbacks() -> int:
        with system.deployment.database.read() as tx:
            of_errback = tasks.c.task_type == errback.task
            ended = of_errback & (tasks.c.state == State.SUCCEEDED)
            return len(tx.execute(select(tasks.c.id).where(ended)).all())

    before = ended_errbacks()
    with pytest.warns(CPendingDeprecationWarning, match="chord_header"):
        outer.link_error(errback)  # Celery links it to the bodies of both
    result = outer.apply_async()

    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).type) == (State.FAILED, "ChordError")
    with pytest.raises(ChordError, match="no"):
        result.get(timeout=SECONDS)

    wait_until(lambda: ended_errbacks() == before + 2, SECONDS, "the errbacks of both bodies")


def test_chord_in_a_chain(system: System) -> None:
    app = system.app
    add, total, twice = (
        app.signature(name) for name in ("demo.add", "features.total", "features.twice")
    )
    header = group([add.clone((n,)) for n in range(3)], app=app)

    result = chain(twice.clone((1,)), chord(header, total, app=app), twice, app=app).apply_async()

    assert result.get(timeout=SECONDS) == 2 * (2 + 3 + 4)


def test_chord_with_groups_in_its_header(system: System) -> None:
    app = system.app
    add = app.signature("demo.add")
    inner = group([add.clone((1, 1)), add.clone((2, 2))], app=app)

    result = chord([inner, add.clone((3, 3))], app.signature("demo.echo"), app=app).apply_async()

    assert sorted(result.get(timeout=SECONDS)) == [2, 4, 6]  # Celery unrolls from the end


def test_chord_with_a_part_that_is_aborted_before_it_starts(system: System) -> None:
    app = system.app
    aborted = app.signature("journal.run").set(task_id=new_task_id(), queue="nobody")
    header = [app.signature("demo.add", (1, 1)), aborted]

    result = chord(header, app.signature("features.total"), app=app).apply_async()
    AbortableAsyncResult(aborted.id, app=app).abort()

    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).type) == (State.FAILED, "ChordError")
    assert aborted.id in failure_of(task).message


def test_chord_with_a_part_that_is_forgotten(system: System) -> None:
    app = system.app
    early = app.signature("features.twice", (1,)).set(task_id=new_task_id())
    late = app.signature("features.twice", (2,)).set(task_id=new_task_id(), queue="late")

    result = chord([early, late], app.signature("features.total"), app=app).apply_async()
    app.AsyncResult(early.id).get(timeout=SECONDS)
    app.AsyncResult(early.id).forget()
    system.start_worker("--pool=solo", "--queues=late", "--hostname=late@%h")

    assert result.get(timeout=SECONDS) == 2 + 4


def test_a_chord_of_long_parts_costs_no_attempts(system: System) -> None:
    app = system.app
    header = [app.signature("journal.run", (2, n)) for n in range(2)]

    result = chord(header, app.signature("features.total"), app=app).apply_async()

    assert result.get(timeout=SECONDS) == 1
    with system.deployment.database.read() as tx:
        rows = tx.execute(select(tasks.c.attempt).where(tasks.c.task_type == "celery.chord_unlock"))
        assert set(rows.scalars()) == {1}


def test_tasks_called_as_functions_are_no_attempts(system: System) -> None:
    result = system.app.signature("features.calls_another").delay()

    direct, eager, own_id, started = result.get(timeout=SECONDS)
    assert (direct, eager, own_id) == (2, 4, result.id)
    assert system.app.AsyncResult(started).get(timeout=SECONDS) == 8
    assert [child.id for child in result.children] == [started]


def test_a_group_whose_turn_never_comes_has_failed(system: System) -> None:
    def task(name: str, *args: Any) -> Any:
        return system.app.signature(name, args, immutable=True)

    after = group(task("demo.add", 1, 2), chain(task("demo.add", 3, 4), task("demo.add", 5, 6)))
    result: Any = chain(task("demo.add", 0, 1), task("demo.fail", "no luck"), after).apply_async()

    with pytest.raises(RuntimeError, match="no luck"):
        result.get(timeout=SECONDS)
    assert [one.state for one in result.results] == ["FAILURE", "FAILURE"]


def test_a_task_that_failed_has_the_tasks_that_it_has_started(system: System) -> None:
    result = system.app.signature("features.starts_another_and", ("fail",)).delay()

    with pytest.raises(ValueError, match="fail"):
        result.get(timeout=SECONDS)
    [child] = result.children
    assert child.get(timeout=SECONDS) == 8
    assert [found.id for found, _ in result.collect(propagate=False)] == [result.id, child.id]


@pytest.mark.parametrize("end", ["return", "fail when aborted"])
def test_a_task_that_was_aborted_has_the_tasks_that_it_has_started(
    system: System, end: str
) -> None:
    result = system.app.signature("features.starts_another_and", (end,)).delay()
    wait_until(lambda: result.state == "WAITS", SECONDS)
    AbortableAsyncResult(result.id, app=system.app).abort()

    assert system.wait_final(result.id).state is State.ABORTED
    [child] = system.app.AsyncResult(result.id).children
    assert child.get(timeout=SECONDS) == 8


def test_ignored_results_are_kept(system: System) -> None:
    result = system.app.signature("features.ignored_result", (7,)).apply_async(ignore_result=True)

    task = system.wait_final(result.id)
    assert (task.state, task.result) == (State.SUCCEEDED, "7")
    # Celery programs see the end, and None as they asked for.
    assert (result.get(timeout=SECONDS), result.state) == (None, "SUCCESS")
    assert system.app.AsyncResult(result.id).result is None


def test_ignore_result_of_the_task_type(system: System) -> None:
    result = system.app.send_task("features.ignored_result", (7,))

    assert system.wait_final(result.id).result == "7"
    assert system.app.AsyncResult(result.id).result is None


def test_the_next_attempt_has_the_headers_and_ignores_the_result(system: System) -> None:
    result = system.app.signature("features.shows_headers").apply_async(
        headers={"x-tenant": "blue", "x-list": [1]}, ignore_result=True
    )

    task = system.wait_final(result.id)
    assert task.result is not None
    assert json.loads(task.result) == [{"x-tenant": "blue", "x-list": [1]}] * 2
    assert result.get(timeout=SECONDS) is None


def test_a_task_that_writes_its_own_end(system: System) -> None:
    result = system.app.signature("features.fails_and_ignores").delay()

    task = system.wait_final(result.id)
    assert (task.state, failure_of(task).message) == (State.FAILED, "by hand")


def test_ignore_ends_without_a_result(system: System) -> None:
    task = system.wait_final(system.app.signature("features.ignores").delay().id)

    assert (task.state, task.result) == (State.SUCCEEDED, "null")


def test_reject(system: System) -> None:
    task = system.wait_final(system.app.signature("features.rejects").delay().id)

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.REJECTED)


def test_reject_and_requeue(system: System) -> None:
    result = system.app.signature("features.rejects_once").delay()

    assert result.get(timeout=SECONDS) == 2
    assert system.task(result.id).attempts[0].outcome is Outcome.RETURNED


def test_forget(system: System) -> None:
    result = system.app.signature("demo.add", (1, 2)).delay()
    result.get(timeout=SECONDS)

    result.forget()

    assert not system.app.backend.task_result_exists(result.id)


def test_flask_context_is_entered(system: System) -> None:
    result = system.app.signature("features.flask_name").delay()

    assert result.get(timeout=SECONDS) == "the-flask-app"


def test_typed_parameters_arrive_as_their_types(system: System) -> None:
    arguments = ({"item": "tea", "count": 3}, "2026-11-22", 1, 2)
    result = system.app.signature("features.typed", arguments).delay()

    assert result.get(timeout=SECONDS) == ["Order", "tea", 3, "2026-11-22", [1, 2]]


def test_arguments_that_do_not_fit(system: System) -> None:
    for arguments in [({"count": 3}, "2026-11-22"), ({"item": "tea"}, "soon"), ()]:
        task = system.wait_final(system.app.signature("features.typed", arguments).delay().id)
        assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.ARGUMENTS_INVALID)


def test_what_is_rejected_is_told_of_once(system: System) -> None:
    result = system.app.signature("features.rejects").delay()

    assert failure_of(system.wait_final(result.id)).reason is Reason.REJECTED
    system.wait_log(f"task_failure: {result.id} Reject")
    assert system.worker.output.count(f"task_failure: {result.id}") == 1


def test_native_joins_give_results_as_they_come(system: System) -> None:
    twice = system.app.signature("features.twice")
    result: Any = group([twice.clone((n,)) for n in range(4)], app=system.app).apply_async()

    assert result.join_native(timeout=SECONDS) == [0, 2, 4, 6]
    found = dict(result.iter_native(timeout=SECONDS))
    assert {task_id: meta["result"] for task_id, meta in found.items()} == {
        child.id: 2 * n for n, child in enumerate(result.results)
    }
    aborted: Any = group([twice.clone((1,)).set(queue="nobody")], app=system.app).apply_async()
    AbortableAsyncResult(aborted.results[0].id, app=system.app).abort()
    with pytest.raises(TaskRevokedError, match=aborted.results[0].id):
        aborted.join_native(timeout=SECONDS)
    unknown: Any = GroupResult("g", [system.app.AsyncResult("nobody")], app=system.app)
    with pytest.raises(CeleryTimeout):
        unknown.join_native(timeout=0)


def test_what_was_rejected_says_that_it_is_redelivered(system: System) -> None:
    result = system.app.signature("features.rejects_until_redelivered").delay()

    assert result.get(timeout=SECONDS) == "redelivered"


def test_a_task_that_was_revoked_before_it_began_is_revoked(system: System) -> None:
    if not system.app.conf.worker_enable_remote_control:
        pytest.skip("SQL brokers carry no remote control")
    later = system.app.signature("demo.add", (1, 2)).freeze()
    system.app.control.revoke(later.id, reply=True, timeout=SECONDS)
    result = system.app.signature("demo.add", (1, 2)).apply_async(task_id=later.id)

    with pytest.raises(TaskRevokedError):
        result.get(timeout=SECONDS)
    assert (result.state, system.task(result.id).state) == ("REVOKED", State.ABORTED)


def test_tasks_that_were_revoked_by_a_stamp_are_revoked(system: System) -> None:
    if not system.app.conf.worker_enable_remote_control:
        pytest.skip("SQL brokers carry no remote control")
    stamp = {"customer": new_task_id()}
    system.app.control.revoke_by_stamped_headers(stamp, reply=True, timeout=SECONDS)
    add = system.app.signature("demo.add", (1, 2))
    canvas: Any = group([add.clone(), chain(add.clone(), add.clone((3,)), app=system.app)])
    canvas.stamp(**stamp)
    result: Any = canvas.apply_async()

    for child in result.results:
        with pytest.raises(TaskRevokedError):
            child.get(timeout=SECONDS)
    assert result.results[0].state == "REVOKED"


def test_a_retry_shows_its_exception_even_if_that_cannot_be_pickled(system: System) -> None:
    result = system.app.signature("features.retries_with_an_unpicklable").delay()

    wait_until(lambda: result.state == "RETRY", SECONDS, "the next attempt waits")
    assert repr(result.result) == "Unpicklable('foo')"
    AbortableAsyncResult(result.id, app=system.app).abort()


def test_an_exception_that_cannot_be_shown_keeps_its_type_and_its_retry(system: System) -> None:
    task = system.wait_final(system.app.signature("features.broken_text").delay().id)

    assert (task.state, task.attempt, failure_of(task).type) == (State.FAILED, 2, "Broken")


def test_long_texts_are_cut_with_a_mark(system: System) -> None:
    task = system.wait_final(system.app.signature("features.long_texts", (3_000_000,)).delay().id)

    failure = failure_of(task)
    assert failure.type == "ValueError"
    for text in (failure.message, failure.traceback, failure.args, str(task.progress)):
        assert "characters left out" in text
        assert len(text) < 100_000


def test_a_result_that_is_too_large(system: System) -> None:
    task = system.wait_final(system.app.signature("features.large", (5_000_000,)).delay().id)

    assert (task.state, failure_of(task).reason) == (State.FAILED, Reason.RESULT_TOO_LARGE)
    assert "TASKGATE_MAX_RESULT_BYTES" in failure_of(task).message
