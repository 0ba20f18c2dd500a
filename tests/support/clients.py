"""The clients in other languages: their folders, and what builds and tests them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from support.require import require

Command = Sequence[str | Path]

CLIENTS = Path(__file__).parents[2] / "clients"
PYTHON_CLIENT = CLIENTS / "python"
GO = CLIENTS / "go"
TYPESCRIPT = CLIENTS / "typescript"
JAVA = CLIENTS / "java"

_MAVEN = ("--quiet", "--batch-mode", "-Dstyle.color=never")


def go(*arguments: str | Path) -> str:
    """Run the go command in the Go client's folder; returns what it printed."""
    return run([_toolchain("go"), *arguments], GO)


def npm(*arguments: str) -> str:
    """Run npm in the TypeScript client's folder, with its dependencies installed."""
    command = _toolchain("npm")
    if not _has_dependencies():
        run([command, "ci"], TYPESCRIPT)
    return run([command, *arguments], TYPESCRIPT)


def maven(*arguments: str) -> str:
    """Run Maven in the Java client's folder."""
    return run([_toolchain("mvn"), *_MAVEN, *arguments], JAVA)


@cache
def typescript_built() -> Path:
    """The folder with the TypeScript client, its runner and its example as JavaScript."""
    npm("exec", "tsc")
    return TYPESCRIPT / "dist"


@cache
def java_class_path() -> str:
    """The class path of the Java client with its tests and its runner."""
    maven("test-compile")
    target = JAVA / "target"
    folders = [str(target / "classes"), str(target / "test-classes")]
    return ":".join([*folders, (target / "classpath").read_text()])


def node_command(script: str, *arguments: str) -> Command:
    """The command that runs one of the TypeScript client's built scripts."""
    return [_toolchain("node"), typescript_built() / script, *arguments]


def java_command(*arguments: str | Path) -> Command:
    """The command that runs Java with the Java client on its class path."""
    return [_toolchain("java"), "-cp", java_class_path(), *arguments]


def run(command: Command, folder: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end; returns what it printed. An AssertionError if it failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _toolchain(program: str) -> Path:
    return require(program, "install it to test the client of its language")


def _has_dependencies() -> bool:
    installed = TYPESCRIPT / "node_modules" / ".package-lock.json"
    wanted = TYPESCRIPT / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime
