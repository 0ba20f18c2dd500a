from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from support.up import Up

Taskgate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture
def taskgate(up: Up) -> Taskgate:
    """Runs the command against the server."""

    def run(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "taskgate.cli", *words],
            env={**os.environ, "TASKGATE_ADDRESS": up.address},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
