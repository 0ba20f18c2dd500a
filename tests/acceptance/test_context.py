"""An application's context is entered around every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.deployment import Deployment
from taskgate.client import Client, State

SHOP = {
    "TASKGATE_TASKS": "support.flask_app",
    "TASKGATE_CONTEXT": "support.flask_app:app.app_context",
}


@pytest.fixture(scope="module")
def shop(deployment: Deployment, client: Client) -> Iterator[Client]:
    """A client of a worker whose tasks belong to a Flask app."""
    with deployment.start_worker("--queues=shop", "--concurrency=1", env=SHOP):
        yield client


def test_a_task_has_its_flask_app(shop: Client) -> None:
    assert shop.submit("shop.currency", queue="shop").result(30) == "EUR"


def test_each_run_has_a_context_of_its_own(shop: Client) -> None:
    assert [shop.submit("shop.visits", queue="shop").result(30) for _ in range(2)] == [1, 1]


def test_a_failure_leaves_the_context(shop: Client) -> None:
    failed = shop.submit("shop.fail", queue="shop").wait(30)
    assert failed.state is State.FAILED
    assert failed.error is not None
    assert failed.error.type == "builtins.LookupError"
    assert failed.error.message == "shop"
    assert shop.submit("shop.visits", queue="shop").result(30) == 1


def test_without_a_context_there_is_none(deployment: Deployment, client: Client) -> None:
    env = {"TASKGATE_TASKS": "support.flask_app"}
    with deployment.start_worker("--queues=no-shop", "--concurrency=1", env=env):
        failed = client.submit("shop.currency", queue="no-shop").wait(30)
    assert failed.error is not None
    assert "application context" in failed.error.message
