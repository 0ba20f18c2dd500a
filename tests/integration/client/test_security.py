"""TLS, client certificates and tokens, with the client and with the command."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.certificates import Certificate, self_signed
from support.up import Up
from taskgate.client import Client, Unauthenticated, Unavailable

TOKEN = "the caller's secret"


@dataclass(frozen=True)
class Guarded:
    """A server that wants everything."""

    up: Up
    server: Certificate
    client: Certificate


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    server, client = self_signed(folder, "server"), self_signed(folder, "client")
    tokens = folder / "tokens"
    tokens.write_text(f"alice {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    env = {
        "TASKGATE_TLS_CERT": str(server.certificate),
        "TASKGATE_TLS_KEY": str(server.key),
        "TASKGATE_TLS_CLIENT_CA": str(client.certificate),
        "TASKGATE_TOKENS_FILE": str(tokens),
    }
    with Up(folder, env=env) as up:
        yield Guarded(up, server, client)


def _client(guarded: Guarded, token: str | None = TOKEN) -> Client:
    return Client(
        guarded.up.address,
        token=token,
        tls_ca=guarded.server.certificate,
        tls_cert=guarded.client.certificate,
        tls_key=guarded.client.key,
    )


def test_the_token_names_the_caller(guarded: Guarded) -> None:
    with _client(guarded) as client:
        handle = client.submit("demo.countdown", [60])
        assert handle.get().submitted_by == "alice"
        abort = handle.abort("enough").abort
        assert abort is not None
        assert abort.by == "alice"


@pytest.mark.parametrize("token", [None, "another secret"])
def test_without_the_token_nothing_is_done(guarded: Guarded, token: str | None) -> None:
    with _client(guarded, token) as client, pytest.raises(Unauthenticated):
        client.submit("demo.add", [1, 1])


def test_without_tls_or_a_certificate_there_is_no_connection(guarded: Guarded) -> None:
    for client in (
        Client(guarded.up.address, token=TOKEN, plain_text_token=True, timeout=2),
        Client(guarded.up.address, token=TOKEN, timeout=2, tls=True),
        Client(guarded.up.address, token=TOKEN, timeout=2, tls_ca=guarded.server.certificate),
    ):
        with client, pytest.raises(Unavailable):
            client.submit("demo.add", [1, 1])


def test_a_tls_file_that_is_missing_is_told(guarded: Guarded, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client(guarded.up.address, tls_ca=tmp_path / "none.pem")


def test_the_command_takes_all_of_it_from_the_environment(guarded: Guarded) -> None:
    env = {
        "TASKGATE_ADDRESS": guarded.up.address,
        "TASKGATE_TLS_CA": str(guarded.server.certificate),
        "TASKGATE_TLS_CLIENT_CERT": str(guarded.client.certificate),
        "TASKGATE_TLS_CLIENT_KEY": str(guarded.client.key),
    }
    submit = ["submit", "demo.add", "2", "3", "--wait", "--json"]
    answer = _taskgate(submit, {**env, "TASKGATE_TOKEN": TOKEN})
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["submitted_by"] == "alice"
    refused = _taskgate(submit, {**env, "TASKGATE_TOKEN": "another secret"})
    assert refused.returncode == 4
    assert json.loads(refused.stderr)["error"]["reason"] == "TOKEN_UNKNOWN"
    assert "secret" not in refused.stderr


def test_the_command_sends_no_token_in_plain_text_unless_told_to(guarded: Guarded) -> None:
    env = {"TASKGATE_ADDRESS": guarded.up.address, "TASKGATE_TOKEN": TOKEN}
    refused = _taskgate(["list"], env)
    assert refused.returncode == 2
    assert "--plain-text-token" in refused.stderr
    unanswered = _taskgate(["list"], {**env, "TASKGATE_PLAIN_TEXT_TOKEN": "1"})
    assert unanswered.returncode == 5  # of a server that speaks TLS only


def test_the_lines_to_paste_say_what_is_needed(guarded: Guarded) -> None:
    assert "grpcurl -cacert ca.pem -cert client.pem -key client-key.pem -d" in guarded.up.output
    assert '-H "authorization: Bearer $TASKGATE_TOKEN"' in guarded.up.output


def _taskgate(words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "taskgate.cli", *words]
    env = {**os.environ, **env}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
