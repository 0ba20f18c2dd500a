"""Alloy, the model finder: which of a model's commands have an example or a counterexample."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from support.clients import Command, run
from support.require import require

_TOOLS = Path(__file__).parents[2] / ".tools"
_ARTIFACT = "org.alloytools:org.alloytools.alloy.dist:6.2.0"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_OUTCOME = re.compile(r"^\d+\. (check|run) +(\w+) .*?(UNSAT|SAT)$", re.MULTILINE)


def run_commands(model: Path, folder: Path, name: str = "*") -> dict[tuple[str, str], bool]:
    """Run commands of a model; whether each, by kind and name, has found what it looks for.

    ``folder``: for what Alloy writes. ``name``: of one command, or a pattern.
    """
    java = require("java", "install a JDK, 17 or later")
    output = folder / "alloy"
    options: Command = ["-s", "sat4j", "-f", "-t", "none", "-o", output, "-c", name]
    printed = run([java, "-jar", _jar(), "exec", *options, model], folder)
    return {(kind, command): word == "SAT" for kind, command, word in _OUTCOME.findall(printed)}


@cache
def _jar() -> Path:
    found = _TOOLS / "alloy" / f"{_ARTIFACT.split(':')[1]}.jar"
    if not found.exists():
        found.parent.mkdir(parents=True, exist_ok=True)
        maven = require("mvn", "install Maven")
        options = (f"-DoutputDirectory={found.parent}", "-Dmdep.stripVersion=true")
        run(
            [maven, "--quiet", "--batch-mode", _COPY, f"-Dartifact={_ARTIFACT}", *options],
            found.parent,
        )
    return found
