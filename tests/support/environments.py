"""Fresh virtual environments: Python and what is installed in them, nothing of the developers'."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"

Resolution = Literal["lowest-direct", "highest"]

_NAME = re.compile(r"python3\.(\d+)")


class Environment:
    """A virtual environment made by uv, which downloads no Python."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.python = folder / "bin" / "python"
        _uv("venv", "--python", python, folder)

    def install(
        self, name: str, project: Path, wheels: Path, resolution: Resolution, *options: str
    ) -> None:
        """Install a distribution from its wheel; `project` has its pyproject.toml.

        uv takes for direct what it reads from there, so that lowest-direct is what it says.
        """
        requirements = ("--requirement", project / "pyproject.toml", name)
        target = ("--python", self.python, "--find-links", wheels, "--resolution", resolution)
        _uv("pip", "install", *target, *requirements, *options)

    def run(self, *arguments: str | Path, folder: Path) -> str:
        """Run its Python there; what it printed."""
        return _run(self.python, *arguments, folder=folder)

    def distributions(self) -> set[str]:
        """The names of all that is installed."""
        listed = _uv("pip", "list", "--python", self.python, "--format", "freeze")
        return {line.partition("==")[0].lower() for line in listed.splitlines()}


def install_into(folder: Path, *names: str) -> None:
    """Install distributions for whoever has the folder on its path, beside what it has already."""
    _uv("pip", "install", "--python", sys.executable, "--target", folder, *names)


def build_wheels(folder: Path) -> None:
    """Build the wheels of taskgate and of its client."""
    for project in (ROOT, CLIENT):
        _uv("build", "--wheel", "--out-dir", folder, project)


def pythons() -> list[Path]:
    """The interpreters of this machine that taskgate supports, the oldest version first.

    Debian's and pyenv's, and the one that runs the tests; one of each minor version.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {sys.version_info.minor: Path(sys.executable)}
    for path in (*Path("/usr/bin").glob("python3.*"), *pyenv.glob("3.*/bin/python3.*")):
        match = _NAME.fullmatch(path.name)
        if match and int(match[1]) >= 11:
            found.setdefault(int(match[1]), path)
    return [found[minor] for minor in sorted(found)]


def _uv(*arguments: str | Path) -> str:
    uv = Path(sys.executable).with_name("uv")
    return _run(uv, *arguments, folder=ROOT, env={"UV_PYTHON_DOWNLOADS": "never"})


def _run(*command: str | Path, folder: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if done.returncode != 0:
        pytest.fail(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
