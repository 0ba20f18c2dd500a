"""The benchmark's smallest measurements really run, so that it does not rot between releases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from click.testing import CliRunner

from bench.__main__ import main
from bench.environment import Environment, Scale
from bench.measurements import Row
from bench.run import run
from bench.subjects import SUBJECTS, Subject
from bench.subjects.calls import submit_alone
from bench.subjects.tasks import tasks_a_second
from bench.systems import THREADS, Taskgate

SCALE = Scale(rounds=1, tasks=50, calls=8, samples=5, watched=5, finished=10)


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Fifty no-op tasks and five Submits, with nothing but SQLite."""
    folder = environment.new_folder("sqlite")
    with ExitStack() as exits:
        broker, record = f"sqla+sqlite:///{folder}/broker.db", f"sqlite:///{folder}/record.db"
        ours = Taskgate(environment.deployment(exits, broker, record))
        rate = tasks_a_second(environment, ours, THREADS, "nothing", scale.tasks)
        yield Row("no-op tasks", "tasks a second", {ours.name: [rate]})
        alone = submit_alone(ours, scale.samples)
        yield Row("Submit alone", "ms, p50", {ours.name: [alone]}, less_is_better=True)


def fail(environment: Environment, scale: Scale) -> Iterator[Row]:
    yield Row("half of it", "ms", {"taskgate": [1.0]})
    raise TimeoutError("the other half")


def test_tasks_run_and_submits_are_counted() -> None:
    [measured] = run([Subject("smallest", "", "", measure)], SCALE)
    assert not measured.problem
    assert all(row.spread("taskgate").lowest > 0 for row in measured.rows)
    assert [row.title for row in measured.rows] == ["no-op tasks", "Submit alone"]


def test_a_subject_that_fails_keeps_its_rows_and_spoils_no_other() -> None:
    broken = Subject("broken", "", "", fail)
    first, second = run([broken, broken], SCALE)
    assert first.problem == second.problem == "TimeoutError: the other half"
    assert [row.title for row in first.rows] == ["half of it"]


def test_nothing_begins_after_the_time_is_over() -> None:
    assert list(run([Subject("smallest", "", "", measure)], SCALE, minutes=-1)) == []


def test_subjects_have_names_of_their_own() -> None:
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)


def test_an_unknown_row_is_told_with_those_there_are() -> None:
    told = CliRunner().invoke(main, ["--rows", "submit nonsense"])
    assert told.exit_code == 2
    assert "nonsense: choose from tasks start submit" in told.output
