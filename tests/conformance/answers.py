"""What the runners were answered, made comparable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Answers = Mapping[str, list[Any]]
"""The results of each scenario, by its name."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_VARIES = {"version", "nextPageToken", "activity", "states", "types"}
_ENDED = {"TASK_STATE_SUCCEEDED", "TASK_STATE_FAILED", "TASK_STATE_ABORTED"}


def parse(lines: Sequence[str], run: str) -> Answers:
    """Read a runner's output; the name of its run becomes ``<run>``."""
    scenarios = [json.loads(line.replace(run, "<run>")) for line in lines]
    return {scenario["name"]: scenario["results"] for scenario in scenarios}


def comparable(results: list[Any]) -> list[Any]:
    """The results of a scenario without what two runs cannot have in common.

    Ids are numbered, times and versions replaced. Of a stream the end is left: a slower reader
    misses versions in between.
    """
    names: dict[str, str] = {}
    return [_normal(_last(result), names) for result in results]


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, one line for each place."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(name), theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"{path}: {ours!r}, {theirs!r}"


def _last(result: dict[str, Any]) -> dict[str, Any]:
    return {"last": result["responses"][-1:]} if "responses" in result else result


def _normal(value: Any, names: dict[str, str]) -> Any:
    match value:
        case dict():
            return _normal_object(value, names)
        case list():
            return [_normal(item, names) for item in value]
        case str() if _ID.fullmatch(value):
            return names.setdefault(value, f"<id {len(names) + 1}>")
    return value


def _normal_object(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    normal = {
        name: "<varies>" if name in _VARIES or name.endswith("Time") else _normal(item, names)
        for name, item in value.items()
    }
    if "progress" in normal:
        normal.update(_normal_progress(value))
    return normal


def _normal_progress(task: dict[str, Any]) -> dict[str, Any]:
    """What a task reported last before it ended; before that it depends on the moment."""
    if task.get("state") not in _ENDED:
        return {"progress": None}
    return {"progress": {"total": task["progress"].get("total")}}
