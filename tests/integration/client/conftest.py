from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.up import Up
from taskgate.client import Client


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture
def client(up: Up) -> Iterator[Client]:
    with Client(up.address) as connected:
        yield connected
