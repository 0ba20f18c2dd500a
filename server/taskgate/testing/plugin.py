"""The pytest plugin: fixtures that cost nothing until a test asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from celery import Celery

    from taskgate.testing.gate import Gate


@pytest.fixture(scope="session")
def taskgate_app() -> Celery | None:
    """Override it where tasks belong to a Celery app of your own, one that ``manage`` was given.

    None: tasks of ``taskgate.tasks.task``, and Celery's shared tasks.
    """
    return None


@pytest.fixture
def gate(tmp_path: Path, taskgate_app: Celery | None) -> Iterator[Gate]:
    """A taskgate of the test's own, in this process, with nothing on record."""
    from taskgate.testing.gate import Gate  # noqa: PLC0415 - costs a second

    with Gate(tmp_path / "taskgate", taskgate_app) as made:
        yield made
