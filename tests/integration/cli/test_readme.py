"""The README's commands, run as they stand, in one shell.

An HTML comment before a code block says what it is: `<!-- file: NAME -->` is written to a file,
`<!-- start -->` is started and stays, `<!-- run -->` is run. A ```text block after it is what it
prints; … stands for anything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ports import free_port
from support.processes import Process
from support.require import require
from taskgate.server.settings import ServerSettings

README = Path(__file__).parents[3] / "README.md"

_BLOCK = re.compile(
    r"<!-- (?P<kind>file|start|run)(?:: (?P<name>\S+))? -->\n"
    r"```(?P<language>\w+)\n(?P<code>.*?)```\n"
    r"(?:\n```text\n(?P<printed>.*?)```\n)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    kind: str
    name: str | None
    language: str
    code: str
    printed: str | None


def _blocks(address: str) -> list[Block]:
    text = README.read_text().replace("127.0.0.1:50051", address)
    return [Block(**found.groupdict()) for found in _BLOCK.finditer(text)]


def _script(blocks: list[Block]) -> str:
    lines = []
    for block in blocks:
        code = block.code
        if block.language == "python":
            code = f"python - <<'PYTHON'\n{code}PYTHON\n"
        lines.append(f"echo '-- next block'\n{code}")
    return "".join(lines)


@pytest.mark.timeout(300)
def test_the_commands_do_what_the_readme_says(tmp_path: Path) -> None:
    folders = [str(Path(sys.executable).parent), str(require("grpcurl").parent)]
    address = f"127.0.0.1:{free_port()}"
    env = {
        "TASKGATE_WEB_ADDRESS": "127.0.0.1:0",
        "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
        "TASKGATE_ADDRESS": address,
    }
    blocks = _blocks(address)
    for block in blocks:
        if block.kind == "file":
            (tmp_path / str(block.name)).write_text(block.code)
    (start,) = [block.code for block in blocks if block.kind == "start"]
    run = [block for block in blocks if block.kind == "run"]
    assert len(run) >= 8
    with Process(["bash", "-c", start], log=tmp_path / "log", env=env, cwd=tmp_path) as up:
        up.wait_ready(lambda: f"taskgate serves on {address}" in up.output)
        answer = subprocess.run(
            ["bash"],
            input=_script(run),
            env={**os.environ, **env},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=250,
            check=False,
        )
    outputs = answer.stdout.split("-- next block\n")[1:]
    for block, output in zip(run, outputs, strict=True):
        assert block.printed is not None, f"what does this print?\n{block.code}"
        pattern = ".*".join(map(re.escape, block.printed.rstrip().split("…")))
        assert re.fullmatch(pattern, output.rstrip(), re.DOTALL), (
            f"{block.code}\nprinted\n{output}\ninstead of\n{block.printed}"
        )


def test_every_setting_is_in_the_table() -> None:
    table = README.read_text().partition("## Settings")[2].partition("## ")[0]
    rows = set(re.findall(r"`([A-Z_]+)`", table))
    settings = {name.upper() for name in ServerSettings.model_fields}
    assert settings <= rows
    client_only = {"TASKGATE_TOKEN", "TASKGATE_PLAIN_TEXT_TOKEN", "TASKGATE_TLS_CA"}
    client_only |= {"TASKGATE_TLS_CLIENT_CERT", "TASKGATE_TLS_CLIENT_KEY"}
    assert rows - settings == client_only
