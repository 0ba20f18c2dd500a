"""CELERY_RESULT_BACKEND: a Celery program that knows nothing of taskgate reads results there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery
from celery.contrib.abortable import ABORTED

from support.engines import Engines
from support.mirrors import reader_of
from support.waiting import wait_until
from taskgate.client import Client


@pytest.fixture
def reader(engines: Engines) -> Iterator[Celery]:
    app = reader_of(engines.mirror_url)
    yield app
    app.close()


def test_a_result_is_there(client: Client, reader: Celery) -> None:
    handle = client.submit("demo.echo", [{"sum": 2**70}])
    mirrored = reader.AsyncResult(handle.id)
    assert mirrored.get(timeout=30) == {"sum": 2**70}
    assert mirrored.name == "demo.echo"


def test_a_failure_is_there(client: Client, reader: Celery) -> None:
    handle = client.submit("demo.fail", ["out of paper"])
    with pytest.raises(RuntimeError, match="out of paper"):
        reader.AsyncResult(handle.id).get(timeout=30)


def test_an_abort_is_there(client: Client, reader: Celery) -> None:
    handle = client.submit("demo.countdown", [60])
    handle.abort()
    mirrored = reader.AsyncResult(handle.id)
    wait_until(lambda: str(mirrored.state) == ABORTED, 30, "the abort in the mirror")
