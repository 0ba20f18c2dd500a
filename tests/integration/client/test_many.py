"""Batches, lists, watches and the directories, against a real server and a real worker."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from taskgate import client as taskgate
from taskgate.client import Client, State, Submission, TaskHandle

SECONDS = 60
BIG = 2**53 + 1


def _handles(outcomes: object) -> list[TaskHandle]:
    assert isinstance(outcomes, list)
    assert all(isinstance(outcome, TaskHandle) for outcome in outcomes), outcomes
    return outcomes


def test_a_bad_submission_does_not_spoil_the_others(client: Client) -> None:
    submissions = [Submission("demo.add", [n, 1]) for n in range(20)]
    submissions[7] = Submission("demo.add", ["x", 1])
    submissions[13] = Submission("demo.ad")
    outcomes = client.submit_many(submissions)
    wrong, unknown = outcomes[7], outcomes[13]
    assert isinstance(wrong, taskgate.ArgumentsInvalid)
    assert wrong.violations
    assert isinstance(unknown, taskgate.TaskTypeUnknown)
    assert "demo.add" in unknown.message
    results = [handle.result(SECONDS) for handle in outcomes if isinstance(handle, TaskHandle)]
    assert results == [n + 1 for n in range(20) if n not in (7, 13)]


def test_submitting_the_same_submissions_again_gives_the_same_tasks(client: Client) -> None:
    submissions = [Submission("demo.echo", [BIG]) for _ in range(3)]
    first = _handles(client.submit_many(submissions))
    again = _handles(client.submit_many(submissions))
    assert [handle.id for handle in again] == [handle.id for handle in first]
    assert first[0].result(SECONDS) == BIG


def test_more_than_a_request_takes_go_in_several(client: Client) -> None:
    label = {"run": str(uuid.uuid4())}
    later = [Submission("demo.add", [1, 1], delay=3600, labels=label) for _ in range(1_001)]
    handles = _handles(client.submit_many(later))
    assert len({handle.id for handle in handles}) == 1_001
    large = [Submission("demo.echo", ["x" * 900_000], delay=3600) for _ in range(10)]
    assert len(_handles(client.submit_many(large))) == 10
    listed = list(client.list(labels=label, page_size=300))
    assert {task.id for task in listed} == {handle.id for handle in handles}


def test_nothing_is_submitted_if_one_has_no_json_form(client: Client) -> None:
    label = {"run": str(uuid.uuid4())}
    submissions = [Submission("demo.echo", [value], labels=label) for value in (1, object())]
    with pytest.raises(TypeError):
        client.submit_many(submissions)
    assert not list(client.list(labels=label))


def test_lists_fit_their_filters(client: Client) -> None:
    label = {"run": str(uuid.uuid4())}
    before = datetime.now(UTC) - timedelta(minutes=1)
    added = client.submit("demo.add", [1, 2], labels=label)
    failed = client.submit("demo.fail", ["boom"], labels=label)
    for handle in (added, failed):
        handle.wait(SECONDS)
    retried = failed.retry()
    retried.wait(SECONDS)

    def ids(**filters: object) -> list[str]:
        return [task.id for task in client.list(labels=label, **filters)]  # type: ignore[arg-type]

    newest_first = [retried.id, failed.id, added.id]
    assert ids() == newest_first
    assert ids(page_size=1) == newest_first
    assert ids(states=[State.FAILED]) == newest_first[:2]
    assert ids(task_types=["demo.add", "no.such"]) == [added.id]
    assert ids(queues=["other"]) == []
    assert ids(root_id=failed.id) == newest_first[:2]
    assert ids(created_from=before) == newest_first
    assert ids(created_before=before) == []


def test_lists_answer_as_much_as_is_wanted(client: Client) -> None:
    label = {"run": str(uuid.uuid4())}
    client.submit("demo.echo", [BIG], labels=label).wait(SECONDS)
    [basic] = client.list(labels=label)
    [full] = client.list(labels=label, full=True)
    assert (basic.args, basic.result, basic.attempts) == ([], None, ())
    assert (full.args, full.result, len(full.attempts)) == ([BIG], BIG, 1)


def test_a_page_token_goes_on_where_the_page_ended(client: Client) -> None:
    label = {"run": str(uuid.uuid4())}
    handles = _handles(
        client.submit_many([Submission("demo.add", [1, 1], labels=label) for _ in range(5)])
    )
    tasks = client.list(labels=label, page_size=2)
    first = next(tasks.pages())
    rest = list(tasks.pages(first.next_page_token))
    assert [len(page.tasks) for page in (first, *rest)] == [2, 2, 1]
    listed = [task.id for page in (first, *rest) for task in page.tasks]
    assert sorted(listed) == sorted(handle.id for handle in handles)
    with pytest.raises(taskgate.InvalidRequest) as raised:
        next(client.list(page_size=2).pages(first.next_page_token))
    assert raised.value.reason == "PAGE_TOKEN_INVALID"


def test_many_are_watched_to_their_ends(client: Client) -> None:
    handles = _handles(client.submit_many([Submission("demo.countdown", [1]) for _ in range(5)]))
    failing = client.submit("demo.fail", ["boom"])
    versions: dict[str, list[int]] = {}
    ends: dict[str, State] = {}
    for task in client.watch([*handles, failing.id.upper(), failing], timeout=SECONDS):
        versions.setdefault(task.id, []).append(task.version)
        if task.is_final:
            ends[task.id] = task.state
    assert all(list(seen) == sorted(set(seen)) for seen in versions.values())
    assert ends == {handle.id: State.SUCCEEDED for handle in handles} | {failing.id: State.FAILED}


def test_a_watch_ends_with_its_time(client: Client) -> None:
    handles = [client.submit("demo.add", [1, 1], delay=3600) for _ in range(2)]
    with pytest.raises(taskgate.WaitTimeout, match=r"2 tasks have not ended in 0\.5 s"):
        list(client.watch(handles, timeout=0.5))
    with pytest.raises(taskgate.WaitTimeout, match=rf"task {handles[0].id} has not ended"):
        list(handles[0].watch(0.5))


def test_a_watch_does_not_outlast_a_refusal(client: Client) -> None:
    with pytest.raises(taskgate.TaskNotFound):
        list(client.watch([str(uuid.uuid4())], timeout=SECONDS))
    with pytest.raises(taskgate.TaskNotFound):
        list(client.watch(["no id"], timeout=SECONDS))
    with pytest.raises(taskgate.InvalidRequest):
        list(client.watch([""], timeout=SECONDS))


def test_a_watch_that_is_left_ends(client: Client) -> None:
    handle = client.submit("demo.add", [1, 1], delay=3600)
    tasks = client.watch([handle])
    assert [task.state for task in itertools.islice(tasks, 1)] == [State.SCHEDULED]
    assert isinstance(tasks, Generator)
    tasks.close()
    assert list(tasks) == []


def test_a_retry_policy_comes_back(client: Client) -> None:
    policy = taskgate.RetryPolicy(
        max_attempts=3, initial_backoff=0.5, jitter=True, non_retryable_errors=("KeyError",)
    )
    handle = client.submit("demo.fail", ["boom"], retry_policy=policy, delay=3600)
    assert handle.get().retry_policy == policy
    assert client.submit("demo.add", [1, 1]).get().retry_policy is None


def test_task_types_have_signatures(client: Client) -> None:
    types = {known.name: known for known in client.task_types()}
    assert list(types) == sorted(types)
    add = types["demo.add"]
    assert (add.doc, add.queue, add.at_most_once) == ("The sum of two numbers.", "celery", False)
    assert add.signature == "(x: int | float, y: int | float)"
    assert [(p.name, p.kind, p.required) for p in add.parameters] == [
        ("x", taskgate.ParameterKind.POSITIONAL_OR_KEYWORD, True),
        ("y", taskgate.ParameterKind.POSITIONAL_OR_KEYWORD, True),
    ]
    assert add.arguments_schema["required"] == ["x", "y"]
    assert types["demo.flaky"].max_attempts == 11


def test_workers_say_what_they_are(client: Client) -> None:
    [worker] = client.workers(alive_only=True)
    assert worker.state is taskgate.WorkerState.ALIVE
    assert (worker.pool, worker.queues, worker.can_force_abort) == ("prefork", ("celery",), True)
    assert worker.lease_expire_time > worker.start_time
    assert worker.stop_time is None
    assert worker.id in {one.id for one in client.workers()}


def test_a_server_says_that_it_serves(client: Client) -> None:
    assert client.is_serving()
    with Client("127.0.0.1:1") as other, pytest.raises(taskgate.Unavailable):
        other.is_serving()
