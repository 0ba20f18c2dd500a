from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.ports import free_port
from taskgate.cli import main

_COMMANDS = ["up", "server", "worker", "db", "submit", "get", "retry", "abort"]
_COMMANDS += ["list", "watch", "types", "workers", "queues", "stats", "top"]
_COMMANDS += ["count", "bulk", "operations", "pause", "resume", "pauses"]
_COMMANDS += ["sweep", "doctor"]


def _taskgate(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskgate.cli", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", [name for name in _COMMANDS if name != "worker"])
def test_help_teaches_by_example(name: str) -> None:
    answer = CliRunner().invoke(main, [name, "--help"])
    assert answer.exit_code == 0
    assert f"taskgate {name}" in answer.output.partition("Options:")[0].partition("\n")[2]


def test_the_commands_are_listed() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    assert [line.split()[0] for line in answer.output.splitlines() if line.startswith("  ")]
    for name in _COMMANDS:
        assert f"\n  {name} " in answer.output


def test_worker_help_shows_celerys_options_too() -> None:
    answer = _taskgate("worker", "--help")
    assert answer.returncode == 0
    assert "taskgate worker --queues" in answer.stdout
    assert "--autoscale" in answer.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["get"], "Missing argument 'ID'"),
        (["submit", "demo.add", "--priority", "10"], "10 is not in the range"),
        (["submit", "demo.add", "--delay", "soon"], "'soon' is not a duration"),
        (["submit", "demo.add", "--label", "team"], "'team' is not key=value"),
        (["submit", "demo.add", "--args", "2"], "--args must be a list"),
        (["submit", "demo.echo", "1e999"], "1e999 is too large"),
        (["abort", "some-id", "--grace", "1s"], "--grace needs --force"),
        (["get", "some-id", "--address", "nonsense"], "'nonsense' is no address"),
        (["submit"], "Missing argument 'TASK_TYPE'"),
        (["submit", "--batch", "no-such-file"], "no-such-file"),
        (["submit", "demo.add", "--batch", "-"], "an argument belongs into the lines of --batch"),
        (["submit", "--batch", "-", "--label", "a=b"], "--label belongs into the lines"),
        (["list", "--state", "GONE"], "'GONE' is not one of"),
        (["list", "--since", "soon"], "'soon' is no time"),
        (["watch"], "Missing argument 'ID...'"),
        (["bulk", "abort"], "give IDs or filters"),
        (["bulk", "retry", "some-id", "--queue", "a"], "give IDs or filters"),
        (["operations", "--stop"], "--stop and --wait need an ID"),
        (["pause"], "give --queue or --type"),
        (["resume", "--queue", "a", "--type", "b"], "give --queue or --type"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(words: list[str], message: str) -> None:
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_server_that_is_not_there_is_exit_code_5() -> None:
    address = f"127.0.0.1:{free_port()}"
    answer = _taskgate("get", "some-id", TASKGATE_ADDRESS=address)
    assert answer.returncode == 5
    lines = answer.stderr.splitlines()
    assert lines == [f"Error: no taskgate server can be reached at {address}: Connection refused"]


def test_wrong_settings_are_told_by_their_names() -> None:
    answer = _taskgate("server", POSTGRES_URL="mysql://host/db", TASKGATE_LEASE_SECONDS="0")
    assert answer.returncode == 2
    assert "POSTGRES_URL: 'mysql' databases cannot hold the record" in answer.stderr
    assert "TASKGATE_LEASE_SECONDS: " in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["server", "worker", "up", "doctor", "sweep"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("CELERY_BROKER_URL", "nonsense://:secret@127.0.0.1:1"),
        ("CELERY_BROKER_URL", "sentinel://:secret@127.0.0.1:1"),
        ("CELERY_RESULT_BACKEND", "mongodb://u:secret@host"),
        ("POSTGRES_URL", "postgresql://host/db?pasword=secret"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(command: str, name: str, url: str) -> None:
    answer = _taskgate(command, **{name: url})
    assert answer.returncode == (1 if command == "worker" else 2)
    assert f"settings are wrong\n  {name}: " in answer.stderr
    assert "secret" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_network_without_tls_and_tokens_is_refused() -> None:
    answer = _taskgate("server", "--address", "0.0.0.0:0")
    assert answer.returncode == 2
    assert "TASKGATE_INSECURE=1" in answer.stderr


def test_tables_are_checked_and_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    before = _taskgate("db", "check", POSTGRES_URL=url)
    assert before.returncode == 1
    assert "run `taskgate db upgrade`" in before.stderr
    assert _taskgate("db", "upgrade", POSTGRES_URL=url).returncode == 0
    assert _taskgate("db", "check", POSTGRES_URL=url).returncode == 0


def test_a_database_that_is_away_is_exit_code_5() -> None:
    url = f"postgresql://127.0.0.1:{free_port()}/nowhere"
    answer = _taskgate("db", "upgrade", POSTGRES_URL=url)
    assert answer.returncode == 5
    assert answer.stderr.startswith("Error: the database does not answer")
    assert "Traceback" not in answer.stderr


def test_a_call_starts_without_celery_and_sqlalchemy() -> None:
    code = """
import sys
import taskgate.cli.main
from taskgate.cli.commands import submit, task, list_tasks, watch, task_types, workers, stats, top
from taskgate.cli.commands import bulk, count, pauses
loaded = {name.partition(".")[0] for name in sys.modules}
found = loaded & {"celery", "kombu", "sqlalchemy", "alembic", "pydantic"}
assert not found, found
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
