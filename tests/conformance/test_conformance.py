"""Every client is answered the same by one real server; so is grpcurl, by reflection alone."""

from __future__ import annotations

import json
import operator
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.answers import comparable, differences
from conformance.runners import OTHERS, PYTHON, RUNNERS, SCENARIOS, Runner
from conformance.scenario import find, load
from conformance.system import CALLER, TOKEN, System
from support.clients import JAVA, PYTHON_CLIENT, TYPESCRIPT, go, java_command, node_command, run

pytestmark = pytest.mark.timeout(600)  # the first build of a client fetches its dependencies

SCENARIO_LIST = load(SCENARIOS)
NAMES = operator.attrgetter("name")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("conformance"))
    with system.deployment:
        system.start()
        yield system


@pytest.mark.parametrize("runner", RUNNERS, ids=NAMES)
def test_every_answer_is_as_expected(system: System, runner: Runner) -> None:
    answers = system.answers(runner)
    assert list(answers) == [scenario["name"] for scenario in SCENARIO_LIST]
    wrong = [
        f"{scenario['name']}: {step['call']}: {path} is {found!r}, not {wanted!r}"
        for scenario in SCENARIO_LIST
        for step, result in zip(_calls(scenario), answers[scenario["name"]], strict=True)
        for path, wanted in step["expect"].items()
        if (found := find(result, path)) != wanted
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("runner", RUNNERS, ids=NAMES)
def test_watching_shows_progress_and_ever_newer_versions(system: System, runner: Runner) -> None:
    watched = system.answers(runner)["watch progress until the end"][1]["responses"]
    tasks = [response["task"] for response in watched]
    versions = [int(task["version"]) for task in tasks]
    assert versions == sorted(set(versions))
    assert any("progress" in task for task in tasks if task["state"] == "TASK_STATE_RUNNING")


@pytest.mark.parametrize("runner", OTHERS, ids=NAMES)
@pytest.mark.parametrize("scenario", [one["name"] for one in SCENARIO_LIST])
def test_all_are_answered_as_python_is(system: System, runner: Runner, scenario: str) -> None:
    ours = comparable(system.answers(PYTHON)[scenario])
    theirs = comparable(system.answers(runner)[scenario])
    assert not [*differences(ours, theirs)], f"python, {runner.name}"


@pytest.mark.parametrize("runner", RUNNERS, ids=NAMES)
def test_over_tls_with_a_token(system: System, runner: Runner, tmp_path: Path) -> None:
    _, waited, _ = _secured_answers(system, runner, TOKEN, tmp_path)
    assert waited["response"]["task"]["state"] == "TASK_STATE_SUCCEEDED"
    assert waited["response"]["task"]["submittedBy"] == CALLER


@pytest.mark.parametrize("runner", RUNNERS, ids=NAMES)
def test_over_tls_with_a_wrong_token(system: System, runner: Runner, tmp_path: Path) -> None:
    answers = _secured_answers(system, runner, "wrong", tmp_path)
    assert [answer["error"]["code"] for answer in answers] == ["UNAUTHENTICATED"] * 3


def test_the_client_alone_needs_no_more_than_it_does_in_the_whole() -> None:
    alone, whole = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (PYTHON_CLIENT, PYTHON_CLIENT.parents[1])
    )
    assert alone["version"] == whole["version"]
    assert set(alone["dependencies"]) <= set(whole["dependencies"])


def test_the_go_example(system: System) -> None:
    assert go("run", "./examples/submit", system.deployment.address).endswith("result: 2\n")


def test_the_typescript_example(system: System) -> None:
    command = node_command("examples/submit.js", system.deployment.address)
    assert run(command, TYPESCRIPT).endswith("result: 2\n")


def test_the_java_example(system: System) -> None:
    command = java_command("examples/Submit.java", system.deployment.address)
    assert run(command, JAVA).endswith("result: 2\n")


def _calls(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in scenario["steps"] if "call" in step]


def _secured_answers(system: System, runner: Runner, token: str, folder: Path) -> list[Any]:
    """What the first scenario is answered by the secured server."""
    scenario = SCENARIO_LIST[0]
    path = folder / "scenarios.json"
    path.write_text(json.dumps([scenario]))
    env = {"TASKGATE_TLS_CA": str(system.secured.authority), "TASKGATE_TOKEN": token}
    address = system.secured.address
    answers = runner.run(folder, address, system.restart_server, scenarios=path, env=env)
    return answers[scenario["name"]]
