"""The clients in other languages build without warnings and pass their own tests."""

from __future__ import annotations

from pathlib import Path

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


def test_java_over_netty_that_is_not_shaded(tmp_path: Path) -> None:
    options = [
        "-Dgrpc.transport=grpc-netty",
        "-Dgrpc.version=1.85.1",
        f"-DbuildDirectory={tmp_path}",
    ]
    maven("test", *options)
    class_path = (tmp_path / "classpath").read_text()
    assert "grpc-netty-1.85.1.jar" in class_path
    assert "shaded" not in class_path
