"""Every client is answered the same by one real server; so is grpcurl, by reflection alone."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.answers import Answers, comparable, differences
from conformance.runners import OTHERS, PYTHON, RUNNERS, SCENARIOS, Runner
from conformance.scenario import find, load
from support.clients import JAVA, TYPESCRIPT, go, java_command, node_command, run
from support.deployment import Deployment
from support.processes import Process

pytestmark = pytest.mark.timeout(600)  # the first build of a client fetches its dependencies

SCENARIO_LIST = load(SCENARIOS)
NAMES = operator.attrgetter("name")


class System:
    """One server and one worker for all runners, each of which is run once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[str, Answers] = {}
        self.deployment = Deployment(
            folder,
            broker_url=f"sqla+sqlite:///{folder}/broker.db",
            database_url=f"sqlite:///{folder}/record.db",
        )

    def start(self) -> None:
        self._server: Process = self.deployment.start_server()
        self.deployment.start_worker("--concurrency=2")

    def restart_server(self) -> None:
        self._server.kill()
        self._server = self.deployment.start_server()

    def answers(self, runner: Runner) -> Answers:
        if runner.name not in self._answers:
            folder = self._folder / runner.name
            folder.mkdir()
            address = self.deployment.address
            self._answers[runner.name] = runner.run(folder, address, self.restart_server)
        return self._answers[runner.name]


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
