"""A runner's part that needs no gRPC: steps, variables, waiting. The README says what they mean."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DEFAULT_TIMEOUT = 90.0
PAUSE = 0.05

Result = dict[str, Any]
Invoke = Callable[[str, str, float], Result]
"""Makes a call: method, request in proto JSON, seconds left."""


def load(path: Path) -> list[dict[str, Any]]:
    """The scenarios in the file."""
    scenarios: list[dict[str, Any]] = json.loads(path.read_text())
    return scenarios


def run_all(path: Path, run: str, invoke: Invoke) -> None:
    """Run every scenario and print its results."""
    for scenario in load(path):
        results = _run(scenario["steps"], {"run": run}, invoke)
        print(json.dumps({"name": scenario["name"], "results": results}), flush=True)


def find(value: Any, path: str) -> Any:
    """The value at a path such as ``results.0.task.id``; None if there is none."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _run(steps: list[dict[str, Any]], variables: dict[str, str], invoke: Invoke) -> list[Result]:
    results = []
    for step in steps:
        if "harness" in step:
            print("HARNESS", step["harness"], flush=True)
            sys.stdin.readline()
            continue
        result = _call(step, variables, invoke)
        for name, path in step.get("save", {}).items():
            variables[name] = str(find(result.get("response"), path) or "")
        results.append(result)
    return results


def _call(step: Mapping[str, Any], variables: Mapping[str, str], invoke: Invoke) -> Result:
    deadline = time.monotonic() + step.get("timeout", DEFAULT_TIMEOUT)
    request = _fill(json.dumps(step["request"]), variables)
    while True:
        result = invoke(step["call"], request, deadline - time.monotonic())
        if "error" in result or _matches(result.get("response"), step.get("until", {})):
            return result
        time.sleep(PAUSE)


def _fill(request: str, variables: Mapping[str, str]) -> str:
    # Their values are ids and tokens, which mean the same in JSON's strings.
    for name, value in variables.items():
        request = request.replace(f"${{{name}}}", value)
    return request


def _matches(response: Any, wanted: Mapping[str, str]) -> bool:
    return all(find(response, path) == value for path, value in wanted.items())
