"""What does not speak gRPC is told to go, and others are served: docs/api.md says what it sees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Connection, fields
from support.requests import submit
from support.require import require
from support.serving import SECONDS, InProcessServer

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()

PATH = "/taskgate.v1.TaskService/ListWorkers"
INTERNAL_ERROR = (2).to_bytes(4, "big")

TYPES = ["application/grpc-web+proto", "application/connect+proto", "application/json", "text/html"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--http1.1"], 1),
        (["--http2-prior-knowledge"], 92),
        (["--http2-prior-knowledge", "-H", "content-type: application/grpc-web+proto"], 92),
    ],
)
def test_curl_ends_with_the_code_that_the_page_explains(
    server: InProcessServer, options: list[str], code: int
) -> None:
    command: list[str | Path] = [
        require("curl"),
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        *options,
    ]
    done = subprocess.run(
        [*command, "--data", "{}", f"http://{server.address}{PATH}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert f"`{done.stderr.partition(')')[0]})" in PAGE
    server.stub().Submit(submit(), timeout=SECONDS)


@pytest.mark.parametrize("content_type", TYPES)
def test_another_content_type_over_http_2_ends_its_stream_alone(
    server: InProcessServer, content_type: str
) -> None:
    """Without `te: trailers`, which gRPC's clients send and browsers' do not."""
    with Connection(server.address) as connection:
        headers = fields(PATH, server.address, [("content-type", content_type)])
        connection.send(HEADERS, END_HEADERS, 1, headers)
        connection.send(DATA, END_STREAM, 1, b"{}")
        assert connection.wait_for(RST_STREAM, stream=1) == INTERNAL_ERROR
    server.stub().Submit(submit(), timeout=SECONDS)
