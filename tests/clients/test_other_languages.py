"""The clients in other languages build without warnings and pass their own tests."""

from __future__ import annotations

import pytest

from support.clients import GO, go, maven, npm, run
from support.require import require

pytestmark = pytest.mark.timeout(600)  # the first build fetches its dependencies


def test_go() -> None:
    go("vet", "./...")
    go("test", "./...")
    assert run([require("gofmt"), "-l", "."], GO) == ""


def test_typescript() -> None:
    npm("test")


def test_java() -> None:
    maven("test")
