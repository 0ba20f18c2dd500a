from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import states
from celery.contrib.abortable import ABORTED

from support.mirrors import reader_of
from support.records import submitted_in, upgraded
from support.redis import RedisServer
from taskgate.server.background.mirror import Mirroring
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import Reason, State
from taskgate.store.record import Failure
from taskgate.tasks.mirror import Mirror, MirrorUnavailable


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = upgraded(database_url)
    yield database
    database.close()


@pytest.fixture(params=["redis", "db+postgresql"])
def mirror_url(request: pytest.FixtureRequest) -> str:
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    return f"db+{request.getfixturevalue('postgres_url')}"


def running_task(database: Database) -> str:
    with database.write() as tx:
        return submitted_in(tx, State.RUNNING)


def tell_everything(mirroring: Mirroring) -> None:
    while mirroring.tell_news():
        pass


def test_a_celery_program_reads_states_and_results_in_the_mirror(
    database: Database, mirror_url: str
) -> None:
    mirroring = Mirroring(database, Mirror(mirror_url))
    tell_everything(mirroring)
    app = reader_of(mirror_url)
    succeeds, fails, is_aborted = (running_task(database) for _ in range(3))
    tell_everything(mirroring)
    assert app.AsyncResult(succeeds).state == states.STARTED

    with database.write() as tx:
        transitions.succeed(tx, succeeds, 1, '{"sum": 5}')
        transitions.fail(
            tx,
            fails,
            1,
            Failure(Reason.EXCEPTION, "no", "ValueError", "builtins", '["no"]', "Traceback …"),
        )
        transitions.request_abort(tx, is_aborted, by="me", reason="")
        transitions.stop(tx, is_aborted, 1)
    tell_everything(mirroring)

    assert app.AsyncResult(succeeds).get(timeout=5) == {"sum": 5}
    assert app.AsyncResult(succeeds).name == "demo.add"
    with pytest.raises(ValueError, match="no"):
        app.AsyncResult(fails).get(timeout=5)
    assert str(app.AsyncResult(fails).traceback) == "Traceback …"
    assert str(app.AsyncResult(is_aborted).state) == ABORTED
    app.close()


def test_a_new_server_goes_on_where_the_last_one_ended(database: Database, redis_url: str) -> None:
    first = Mirroring(database, Mirror(redis_url))
    tell_everything(first)
    told, missed = running_task(database), running_task(database)
    with database.write() as tx:
        transitions.succeed(tx, told, 1, "1")
    tell_everything(first)
    with database.write() as tx:
        transitions.succeed(tx, missed, 1, "2")

    tell_everything(Mirroring(database, Mirror(redis_url)))

    app = reader_of(redis_url)
    assert [app.AsyncResult(task_id).get(timeout=5) for task_id in (told, missed)] == [1, 2]
    app.close()


def test_more_ends_than_a_batch_are_all_told(database: Database, redis_url: str) -> None:
    mirroring = Mirroring(database, Mirror(redis_url))
    tell_everything(mirroring)
    with database.write() as tx:
        task_ids = [submitted_in(tx, State.RUNNING) for _ in range(450)]
        for task_id in task_ids:
            transitions.succeed(tx, task_id, 1, "7")

    tell_everything(mirroring)

    app = reader_of(redis_url)
    assert {app.AsyncResult(task_id).state for task_id in task_ids} == {states.SUCCESS}
    app.close()


def test_a_frozen_mirror_is_given_up_and_told_later(database: Database) -> None:
    with RedisServer() as redis:
        url = redis.empty_database()
        mirroring = Mirroring(database, Mirror(url))
        tell_everything(mirroring)
        task_id = running_task(database)
        with database.write() as tx:
            transitions.succeed(tx, task_id, 1, "7")
        redis.pause()
        with pytest.raises(MirrorUnavailable):
            tell_everything(mirroring)
        redis.resume()

        tell_everything(mirroring)

        app = reader_of(url)
        assert app.AsyncResult(task_id).get(timeout=5) == 7
        app.close()


def test_one_server_at_a_time_tells(postgres_url: str, redis_url: str) -> None:
    database = upgraded(postgres_url)
    one, other = (Mirroring(database, Mirror(redis_url)) for _ in range(2))
    with one._leading() as is_first:
        with other._leading() as is_second:
            assert (is_first, is_second) == (True, False)
        with database.write() as tx:
            submitted_in(tx, State.SUCCEEDED)
        assert not other.tell_news()
    with other._leading() as is_next:
        assert is_next
    database.close()
