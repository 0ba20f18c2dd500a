"""The server's settings: what is refused, and why."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from taskgate.server import addresses
from taskgate.server.settings import ServerSettings

TLS = {"taskgate_tls_cert": Path("cert.pem"), "taskgate_tls_key": Path("key.pem")}
TOKENS = {"taskgate_tokens_file": Path("tokens")}
INSECURE = {"taskgate_insecure": True}

LOCAL = ["127.0.0.1:50051", "127.8.9.1:1", "[::1]:50051", "localhost:0", "unix:/run/taskgate"]
REACHABLE = ["0.0.0.0:50051", "[::]:50051", "10.0.0.1:1", "example.org:50051", "127.0.0.1.nip.io:1"]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("address", LOCAL)
def test_a_local_address_needs_no_guard(address: str) -> None:
    assert ServerSettings(taskgate_address=address).taskgate_address == address


@pytest.mark.parametrize("address", REACHABLE)
@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, "TASKGATE_TLS_CERT, TASKGATE_TLS_KEY, TASKGATE_TOKENS_FILE"),
        (TLS, "TASKGATE_TOKENS_FILE"),
        (TOKENS, "TASKGATE_TLS_CERT, TASKGATE_TLS_KEY"),
    ],
)
def test_a_reachable_address_needs_tls_and_tokens(
    address: str, values: dict[str, Any], missing: str
) -> None:
    with pytest.raises(ValidationError, match=f"set {missing}, or TASKGATE_INSECURE=1"):
        ServerSettings(taskgate_address=address, **values)


@pytest.mark.parametrize("address", REACHABLE)
@pytest.mark.parametrize("values", [{**TLS, **TOKENS}, INSECURE])
def test_a_reachable_address_that_is_guarded_or_meant(address: str, values: dict[str, Any]) -> None:
    assert ServerSettings(taskgate_address=address, **values).taskgate_address == address


@pytest.mark.parametrize(
    "values",
    [
        {"taskgate_tls_cert": Path("cert.pem")},
        {"taskgate_tls_key": Path("key.pem")},
        {"taskgate_tls_client_ca": Path("ca.pem")},
    ],
)
def test_half_of_tls_is_none(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="need"):
        ServerSettings(**values)


@pytest.mark.parametrize(
    "address", ["", "50051", ":50051", "host", "host:", "host:x", "host:65536", "::1:5", "unix:"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValidationError, match="is no address such as"):
        ServerSettings(taskgate_address=address)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKGATE_ADDRESS", "0.0.0.0:1")
    monkeypatch.setenv("TASKGATE_INSECURE", "1")
    monkeypatch.setenv("TASKGATE_MAX_PAYLOAD_BYTES", "2048")
    settings = ServerSettings()
    assert settings.taskgate_address == "0.0.0.0:1"
    assert settings.taskgate_max_payload_bytes == 2048


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1:0", "127.0.0.1:7"),
        ("[::1]:0", "[::1]:7"),
        ("localhost:0", "localhost:7"),
        ("unix:x", "unix:x"),
    ],
)
def test_the_address_with_its_port(address: str, shown: str) -> None:
    assert addresses.parse(address).with_port(7) == shown


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TASKGATE_TOKEN_FILE", "TASKGATE_TOKENS_FILE"),
        ("TASKGATE_MAX_QUEUE", "TASKGATE_MAX_QUEUED"),
        ("TASKGATE_ADRESS", "TASKGATE_ADDRESS"),
        ("TASKGATE_RETENTION_DAY", "TASKGATE_RETENTION_DAYS"),
        ("TASKGATE_TASK", "TASKGATE_TASKS"),
    ],
)
def test_a_misspelt_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ValidationError, match=f"{name} is no setting: did you mean {meant}?"):
        ServerSettings()


@pytest.mark.parametrize(
    "name", ["TASKGATE_TOKEN", "TASKGATE_TLS_CA", "TASKGATE_PORT", "TASKGATE_SERVICE_HOST"]
)
def test_what_is_set_for_others_is_no_mistake(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:50051")
    ServerSettings()


def test_who_shows_a_certificate_needs_no_token() -> None:
    values: dict[str, Any] = {**TLS, "taskgate_tls_client_ca": Path("ca.pem")}
    settings = ServerSettings(taskgate_address="0.0.0.0:50051", **values)
    assert settings.taskgate_tokens_file is None


def test_why_an_address_is_not_free(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "in use" in addresses.why_not_free(addresses.Address("127.0.0.1", port))
    assert addresses.why_not_free(addresses.Address("127.0.0.1", 0)) == ""
    not_ours = addresses.Address("192.0.2.1", 0)
    assert "does not have the address" in addresses.why_not_free(not_ours)
    unknown = addresses.Address("no-such-host.invalid", 0)
    assert "cannot be resolved" in addresses.why_not_free(unknown)
    no_folder = addresses.Address(str(tmp_path / "none" / "socket"), None)
    assert "folder does not exist" in addresses.why_not_free(no_folder)
    free = addresses.Address(str(tmp_path / "socket"), None)
    assert addresses.why_not_free(free) == ""
    assert not (tmp_path / "socket").exists()


@pytest.mark.parametrize("address", LOCAL[:-1])
def test_a_local_dashboard_needs_no_guard(address: str) -> None:
    assert ServerSettings(taskgate_web_address=address).taskgate_web_address == address


@pytest.mark.parametrize("address", REACHABLE)
@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, "TASKGATE_TLS_CERT, TASKGATE_TLS_KEY, TASKGATE_TOKENS_FILE"),
        ({**TLS, "taskgate_tls_client_ca": Path("ca.pem")}, "TASKGATE_TOKENS_FILE"),
        (TOKENS, "TASKGATE_TLS_CERT, TASKGATE_TLS_KEY"),
    ],
)
def test_a_reachable_dashboard_needs_tls_and_tokens(
    address: str, values: dict[str, Any], missing: str
) -> None:
    with pytest.raises(ValidationError, match=f"WEB_ADDRESS .* set {missing}, or"):
        ServerSettings(taskgate_web_address=address, **values)


@pytest.mark.parametrize("address", REACHABLE)
@pytest.mark.parametrize("values", [{**TLS, **TOKENS}, INSECURE])
def test_a_reachable_dashboard_that_is_guarded_or_meant(
    address: str, values: dict[str, Any]
) -> None:
    assert ServerSettings(taskgate_web_address=address, **values).taskgate_web_address == address


def test_where_callers_have_certificates_the_dashboard_needs_tokens() -> None:
    with pytest.raises(ValidationError, match="needs TASKGATE_TOKENS_FILE where"):
        ServerSettings(
            taskgate_web_address="127.0.0.1:1",
            taskgate_tls_cert=Path("cert.pem"),
            taskgate_tls_key=Path("key.pem"),
            taskgate_tls_client_ca=Path("ca.pem"),
        )


def test_browsers_know_no_unix_sockets() -> None:
    with pytest.raises(ValidationError, match="no host:port"):
        ServerSettings(taskgate_web_address="unix:/run/taskgate")
