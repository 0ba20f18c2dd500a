"""Programs the tests need: a missing one skips a test on a laptop and fails it in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

_HERE = Path(__file__).parent


def require(program: str, remedy: str = "run `make servers`") -> Path:
    """Find a program on PATH, where Debian hides it, in .tools/bin or beside Python."""
    path = os.pathsep.join([*_hidden_first(program), os.environ["PATH"], *_folders()])
    found = shutil.which(program, path=path)
    if found is not None:
        return Path(found)
    return missing(f"{program} is not installed: {remedy}")


def require_root(what: str) -> None:
    """Skip a test on a laptop, and fail it in CI, where we are not root."""
    if os.geteuid() != 0:
        missing(f"{what} need root")


def missing(reason: str) -> NoReturn:
    """Skip a test on a laptop, and fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _hidden_first(program: str) -> list[str]:
    # What Debian puts on PATH under these names changes the user and writes under /var.
    return ["/usr/lib/rabbitmq/bin"] if program.startswith("rabbitmq") else []


def _folders() -> list[str]:
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: folder.parent.name.zfill(3),
        reverse=True,
    )
    own = [str(_HERE.parents[1] / ".tools" / "bin"), str(Path(sys.executable).parent)]
    return [*map(str, newest_first), "/usr/sbin", *own]
