"""docs/api.md: its lines are run as they stand, and its tables are complete."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from support.require import require
from support.up import Up
from taskgate.server.api.statuses import MEANINGS
from taskgate.server.errors import ViolationReason
from taskgate.store.lifecycle import FINAL, State
from taskgate.v1 import task_service_pb2

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()

_BLOCK = re.compile(r"<!-- run -->\n```sh\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
_LINE = re.compile(r"\bgrpcurl -plaintext -d .* 127\.0\.0\.1:50051 taskgate\.v1\.TaskService/(\w+)")
_NEXT = "-- next block\n"


def test_each_line_answers_what_the_page_says(tmp_path: Path) -> None:
    folders = [str(require("grpcurl").parent), os.environ["PATH"]]
    blocks = _BLOCK.findall(PAGE)
    script = "".join(f"echo '{_NEXT.strip()}'\n{code}" for code, _ in blocks)
    with Up(tmp_path) as up:
        done = subprocess.run(
            ["bash"],
            input=script.replace("127.0.0.1:50051", up.address),
            env={**os.environ, "PATH": os.pathsep.join(folders)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
    outputs = done.stdout.split(_NEXT)[1:]
    for (code, said), output in zip(blocks, outputs, strict=True):
        pattern = ".*".join(map(re.escape, said.rstrip().split("…")))
        assert re.fullmatch(pattern, output.rstrip(), re.DOTALL), f"{code}\nanswered\n{output}"


def test_each_call_is_explained_with_a_line() -> None:
    calls = {m.name for m in task_service_pb2.DESCRIPTOR.services_by_name["TaskService"].methods}
    run = "".join(code for code, _ in _BLOCK.findall(PAGE))
    assert run.count("grpcurl") == len(_LINE.findall(run)) == PAGE.count("grpcurl -plaintext")
    assert set(_LINE.findall(run)) == calls
    assert calls <= set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))
    assert set(re.findall(r"^\| \[`(\w+)`\]", PAGE, re.MULTILINE)) == calls


def test_each_error_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \| \S.* \| \S.* \|$", PAGE, re.MULTILINE)
    meanings = {str(meaning.reason): meaning.code.name for meaning in MEANINGS.values()}
    fields = {reason.value: "INVALID_ARGUMENT" for reason in ViolationReason}
    assert len(rows) == len(dict(rows))
    assert dict(rows) == {**meanings, **fields, "INTERNAL": "INTERNAL"}


def test_each_state_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([A-Z]+)` \| [^|]+ \| (yes)? ?\|$", PAGE, re.MULTILINE)
    assert dict(rows) == {state.value: "yes" if state in FINAL else "" for state in State}
