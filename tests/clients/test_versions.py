"""Every client says the same version as the server, which its package has too."""

from __future__ import annotations

import json
import re
import tomllib
from xml.etree import ElementTree

import pytest

from support.clients import CLIENTS

_POM = "{http://maven.apache.org/POM/4.0.0}"


def _toml(path: str) -> str:
    return str(tomllib.loads((CLIENTS / path).read_text())["project"]["version"])


def _npm(path: str) -> str:
    return str(json.loads((CLIENTS / path).read_text())["version"])


def _pom(path: str) -> str:
    return str(ElementTree.parse(CLIENTS / path).getroot().findtext(f"{_POM}version"))  # noqa: S314


def _constant(path: str) -> str:
    """The value of the constant called VERSION, in whatever case the language wants."""
    found = re.findall(r'\bVERSION = "(.+)"', (CLIENTS / path).read_text(), re.IGNORECASE)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize(
    "version",
    [
        _toml("python/pyproject.toml"),
        _constant("go/client.go"),
        _npm("typescript/package.json"),
        _npm("typescript/package-lock.json"),
        _constant("typescript/src/version.ts"),
        _pom("java/pom.xml"),
    ],
)
def test_the_version_is_the_servers(version: str) -> None:
    assert version == _toml("../pyproject.toml")
