"""What the image installs is what pyproject.toml wants, file by file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "deploy" / "requirements.txt"


def locked() -> dict[str, tuple[Version, int]]:
    """The version of each distribution, and how many files of it are allowed."""
    entries = re.split(r"^(?=[a-zA-Z])", LOCK.read_text(), flags=re.MULTILINE)
    found: dict[str, tuple[Version, int]] = {}
    for entry in entries:
        if match := re.match(r"([\w.-]+)==([\w.]+)", entry):
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)
            found[canonicalize_name(match[1])] = (Version(match[2]), len(hashes))
    return found


def test_every_dependency_is_locked_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["web"]]
    versions = locked()
    requirements = map(Requirement, wanted)
    for one in (one for one in requirements if one.name != "taskgate-client"):
        version, _ = versions[canonicalize_name(one.name)]
        assert version in one.specifier, f"{one}: run make lock"


def test_every_file_has_its_hash() -> None:
    assert all(hashes for _, hashes in locked().values())
    assert "://" not in LOCK.read_text()
