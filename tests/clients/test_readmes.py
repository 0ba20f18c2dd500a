"""What the clients' READMEs show is a program, which runs as a stranger would run it."""

from __future__ import annotations

import json
import operator
import re
import secrets
import shutil
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import google.rpc
import pytest

from support.clients import CLIENTS, GO, PYTHON_CLIENT, TYPESCRIPT, go, maven, npm, run
from support.require import require
from support.up import Up

pytestmark = pytest.mark.timeout(600)  # the first build of a client fetches its dependencies

GO_MODULE = "github.com/taskgate/taskgate/clients/go"


@dataclass(frozen=True)
class Readme:
    """A client's README and the example that it explains."""

    client: str
    language: str
    """The blocks' name for it."""
    example: str
    run: Callable[[Path, Path, str], str]
    """Runs the example in a new project in a folder, against an address; what it printed."""


def _run_go(folder: Path, example: Path, address: str) -> str:
    """The module is fetched by its path and version, from a repository in place of GitHub's."""
    version = f"v0.0.{secrets.randbelow(10**9)}"
    repository = _publish(GO, folder / "repository", "clients/go", version)
    project = folder / "project"
    project.mkdir()
    shutil.copy(example, project)
    modules = Path(go("env", "GOMODCACHE").strip())
    go("mod", "download")
    env = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/taskgate/taskgate",
        "GOPRIVATE": "github.com/taskgate/*",
        "GOPROXY": f"file://{modules}/cache/download",
        "GOSUMDB": "off",
        "GOMODCACHE": str(folder / "modules"),
        "GOFLAGS": "-modcacherw -mod=mod -trimpath",
    }
    for arguments in (
        ["mod", "init", "example.com/stranger"],
        ["get", f"{GO_MODULE}@{version}"],
        ["build", "-o", "program", "."],
    ):
        run([require("go"), *arguments], project, env)
    return run([project / "program", address], project)


def _run_typescript(folder: Path, example: Path, address: str) -> str:
    """The package that would be published, with the strictest checks of its types, both ways."""
    npm("pack", "--pack-destination", str(folder))
    (package,) = folder.glob("taskgate-*.tgz")
    programs = [folder / "program.mts", folder / "program.cts"]
    for program in programs:
        shutil.copy(example, program)
    installed = json.loads((TYPESCRIPT / "package-lock.json").read_text())["packages"]
    tools = [
        f"{name}@{installed[f'node_modules/{name}']['version']}"
        for name in ("typescript", "@types/node")
    ]
    run([require("npm"), "install", "--silent", "--prefer-offline", package, *tools], folder)
    strictly = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"]
    for_node = ["--target", "ES2022", "--module", "Node16"]
    run([folder / "node_modules/.bin/tsc", *strictly, *for_node, *programs], folder)
    outputs = [
        run([require("node"), folder / program, address], folder)
        for program in ("program.mjs", "program.cjs")
    ]
    assert outputs[0].splitlines()[0] == outputs[1].splitlines()[0]
    return outputs[1]


def _run_python(folder: Path, example: Path, address: str) -> str:
    """The client alone, without the rest of taskgate."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", PYTHON_CLIENT], folder)
    return run([python, example, address], folder)


def _run_java(folder: Path, example: Path, address: str) -> str:
    """The jar that would be published, with its sources and documentation."""
    target = folder / "target"
    maven("-DskipTests", f"-DbuildDirectory={target}", "package")
    jars = {jar.name: jar for jar in target.glob("*.jar")}
    name = "taskgate-client-0.1.0"
    assert {f"{name}-sources.jar", f"{name}-javadoc.jar"} <= jars.keys()
    jar = jars[f"{name}.jar"]
    described = run([require("jar"), "--describe-module", "--file", jar], folder)
    assert "dev.taskgate.client@0.1.0 automatic" in described
    class_path = f"{jar}:{(target / 'classpath').read_text()}"
    return run([require("java"), "-cp", class_path, example, address], folder)


def _run_rust(folder: Path, _example: Path, address: str) -> str:
    """The recipe for one more language: descriptors, and what tonic makes of them."""
    cargo = require("cargo", "install it to test the example in Rust")
    root, descriptors = CLIENTS.parent, folder / "taskgate.binpb"
    rpc = Path(next(iter(google.rpc.__path__)))
    imports = root / ".tools" / "googleapis" / "google" / "rpc"
    imports.mkdir(parents=True, exist_ok=True)
    for proto in ("status.proto", "error_details.proto"):
        shutil.copy(rpc / proto, imports)
    buf = Path(sys.executable).parent / "buf"
    run([buf, "build", "--as-file-descriptor-set", "--output", descriptors], root)
    # Built once: only the descriptors change, and only their content decides.
    target = root / ".tools" / "rust"
    target.mkdir(exist_ok=True)
    kept = target / "taskgate.binpb"
    if not kept.exists() or kept.read_bytes() != descriptors.read_bytes():
        shutil.copy(descriptors, kept)
    env = {"TASKGATE_DESCRIPTORS": str(kept), "CARGO_TARGET_DIR": str(target)}
    run([cargo, "build", "--quiet", "--locked"], CLIENTS / "rust", env)
    return run([target / "debug" / "taskgate-example", address], folder)


def _publish(client: Path, repository: Path, path: str, version: str) -> Path:
    """A repository with the client at the path, and its release."""
    shutil.copytree(client, repository / path)
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "release"],
        ["tag", f"{path}/{version}"],
    ):
        run(["git", *arguments], repository)
    return repository


READMES = [
    Readme("go", "go", "examples/submit/main.go", _run_go),
    Readme("typescript", "ts", "examples/submit.ts", _run_typescript),
    Readme("java", "java", "examples/Submit.java", _run_java),
    Readme("rust", "rust", "src/main.rs", _run_rust),
    Readme("python", "python", "examples/submit.py", _run_python),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("readmes")) as up:
        yield up


@pytest.mark.parametrize("readme", READMES, ids=operator.attrgetter("client"))
def test_the_program_runs_in_a_new_project(server: Up, readme: Readme, tmp_path: Path) -> None:
    example = CLIENTS / readme.client / readme.example
    lines = readme.run(tmp_path, example, server.address).splitlines()
    assert lines[0] == "sum: 3"
    assert "task_type" in lines[1]
    assert lines[-1] == "result: 2"


@pytest.mark.parametrize("readme", READMES, ids=operator.attrgetter("client"))
def test_each_block_is_a_part_of_the_program(readme: Readme) -> None:
    folder = CLIENTS / readme.client
    text = (folder / "README.md").read_text()
    program = _unindented((folder / readme.example).read_text())
    blocks = re.findall(rf"^```{readme.language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert _unindented(block) in program, f"not in {readme.example}:\n{block}"


def _unindented(code: str) -> str:
    return "\n".join(line.strip() for line in code.splitlines())
