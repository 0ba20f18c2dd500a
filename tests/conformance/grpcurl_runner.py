"""Runs the scenarios with grpcurl, which learns the API from the server's reflection alone.

GRPCURL says where it is: python -m conformance.grpcurl_runner, see the README.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.rpc import code_pb2

from conformance.scenario import Result, run_all

_STREAMS = {"Watch"}


def main(scenarios: str, address: str, run: str) -> None:
    """Run the scenarios against the server."""
    run_all(
        Path(scenarios),
        run,
        lambda method, request, timeout: _invoke(address, method, request, timeout),
    )


def _invoke(address: str, method: str, request: str, timeout: float) -> Result:
    options = ["-format-error", f"-max-time={timeout}", "-d=@"]
    done = subprocess.run(
        [
            os.environ["GRPCURL"],
            *_connection(),
            *options,
            address,
            f"taskgate.v1.TaskService/{method}",
        ],
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return {"error": _failure(_json_names(done.stderr))}
    responses = _documents(_json_names(done.stdout))
    return {"responses": responses} if method in _STREAMS else {"response": responses[0]}


def _connection() -> Iterator[str]:
    authorities, token = os.environ.get("TASKGATE_TLS_CA"), os.environ.get("TASKGATE_TOKEN")
    yield f"-cacert={authorities}" if authorities else "-plaintext"
    if token:
        yield f"-H=authorization: Bearer {token}"


def _json_names(text: str) -> str:
    # Of a google.protobuf.Any that it knows by reflection, grpcurl prints the proto's names.
    return text.replace('"field_violations"', '"fieldViolations"')


def _documents(text: str) -> list[Any]:
    """The JSON documents that follow each other in the text."""
    decoder = json.JSONDecoder()
    found = []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def _failure(text: str) -> dict[str, object]:
    status = json.loads(text)
    details = {detail["@type"].rpartition(".")[2]: detail for detail in status.get("details", [])}
    violations = details.get("BadRequest", {}).get("fieldViolations", [])
    return {
        "code": code_pb2.Code.Name(status["code"]),
        "reason": details.get("ErrorInfo", {}).get("reason", ""),
        "fields": [violation["field"] for violation in violations],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
