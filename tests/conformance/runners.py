"""The runners: how each is built and started."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.answers import Answers, parse
from support.clients import Command, go, java_command, node_command
from support.require import require

SCENARIOS = Path(__file__).parent / "scenarios.json"
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Runner:
    """One way to call taskgate."""

    name: str
    build: Callable[[Path], Command]
    """Builds it, in a folder for what is made; returns its command."""

    def run(
        self,
        folder: Path,
        address: str,
        restart_server: Callable[[], None],
        *,
        scenarios: Path = SCENARIOS,
        env: Mapping[str, str] | None = None,
    ) -> Answers:
        """Run the scenarios; an AssertionError if the runner failed."""
        command = self.build(folder)
        run = f"{self.name}-{secrets.token_hex(4)}"
        errors = folder / "stderr"
        with (
            errors.open("wb") as stderr,
            subprocess.Popen(
                [*command, scenarios, address, run],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "PYTHONPATH": str(TESTS), **(env or {})},
            ) as process,
        ):
            try:
                output = _converse(process, restart_server)
            except BaseException:
                process.kill()
                raise
        assert process.returncode == 0, f"{self.name}: {errors.read_text()}"
        return parse(output, run)


def _converse(process: subprocess.Popen[bytes], restart_server: Callable[[], None]) -> list[str]:
    """Read the results, and do what the runner asks for in between."""
    assert process.stdin is not None
    assert process.stdout is not None
    output = []
    for line in process.stdout:
        if line.startswith(b"HARNESS"):
            assert line == b"HARNESS restart-server\n"
            restart_server()
            process.stdin.write(b"done\n")
            process.stdin.flush()
        else:
            output.append(line.decode())
    return output


def _python(_folder: Path) -> Command:
    return [sys.executable, "-m", "conformance.python_runner"]


def _python_asyncio(_folder: Path) -> Command:
    return [sys.executable, "-m", "conformance.python_asyncio_runner"]


def _grpcurl(_folder: Path) -> Command:
    grpcurl = require("grpcurl")
    return ["env", f"GRPCURL={grpcurl}", sys.executable, "-m", "conformance.grpcurl_runner"]


def _go(folder: Path) -> Command:
    program = folder / "runner"
    go("build", "-o", program, "./internal/conformance")
    return [program]


def _typescript(_folder: Path) -> Command:
    return node_command("conformance/main.js")


def _java(_folder: Path) -> Command:
    return java_command("dev.taskgate.conformance.Main")


PYTHON = Runner("python", _python)
OTHERS = [
    Runner("python-asyncio", _python_asyncio),
    Runner("grpcurl", _grpcurl),
    Runner("go", _go),
    Runner("typescript", _typescript),
    Runner("java", _java),
]
RUNNERS = [PYTHON, *OTHERS]
