"""The tools that people point at a gRPC server know this one by reflection alone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from support.require import require
from support.serving import InProcessServer

SECONDS = 120
"""Until a tool has ended, on a busy machine."""

SUBMIT = '{"task_type": "demo.add", "args": [1, 2]}'

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a tool to its end; what it printed. It finds no settings of the user's."""

    def run_it(program: str, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [require(program), *arguments],
            input=given,
            env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_it


def assert_is_queued(answer: str) -> None:
    task: Any = json.loads(answer)["task"]
    assert (task["taskType"], task["state"]) == ("demo.add", "TASK_STATE_QUEUED")


def test_ghz_calls_submit(server: InProcessServer, run: Run) -> None:
    call = ("--insecure", "--call", "taskgate.v1.TaskService/Submit", "--data", SUBMIT)
    report = json.loads(run("ghz", *call, "-n", "20", "-c", "4", "-O", "json", server.address))
    assert report["statusCodeDistribution"] == {"OK": 20}


def test_evans_lists_and_calls(server: InProcessServer, run: Run) -> None:
    host, _, port = server.address.rpartition(":")
    evans = ("--host", host, "--port", port, "--reflection", "cli")
    assert "taskgate.v1.TaskService" in run("evans", *evans, "list").split()
    called = run("evans", *evans, "call", "taskgate.v1.TaskService.Submit", given=SUBMIT)
    assert_is_queued(called)


def test_buf_curl_submits(server: InProcessServer, run: Run) -> None:
    url = f"http://{server.address}/taskgate.v1.TaskService/Submit"
    options = ("--protocol", "grpc", "--http2-prior-knowledge", "--data", SUBMIT)
    assert_is_queued(run("buf", "curl", *options, url))


@pytest.mark.parametrize("service", ["", "taskgate.v1.TaskService"])
def test_grpc_health_probe_is_told_that_it_serves(
    server: InProcessServer, run: Run, service: str
) -> None:
    run("grpc_health_probe", f"-addr={server.address}", f"-service={service}")


def test_grpcui_shows_the_calls(server: InProcessServer) -> None:
    options = ("-plaintext", "-open-browser=false", "-port=0", server.address)
    command = [str(require("grpcui")), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grpcui:
        try:
            assert grpcui.stdout is not None
            url = grpcui.stdout.readline().split()[-1]
            with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - it is http://127.0.0.1
                page = answer.read().decode()
        finally:
            grpcui.terminate()
    assert "taskgate.v1.TaskService" in page
    assert "SubmitBatch" in page
