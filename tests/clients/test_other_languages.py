"""The clients in other languages build without warnings and pass their own tests."""

from __future__ import annotations

import pytest

from support.clients import go, maven, npm

pytestmark = pytest.mark.timeout(600)  # the first build fetches its dependencies


def test_go() -> None:
    go("vet", "./...")
    go("test", "./...")


def test_typescript() -> None:
    npm("test")


def test_java() -> None:
    maven("test")
