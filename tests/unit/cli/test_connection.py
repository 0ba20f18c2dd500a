from __future__ import annotations

from importlib.metadata import version

import pytest

from taskgate.cli import connection


@pytest.mark.parametrize(
    ("server", "ours", "warned"),
    [
        ("0.1.0", "0.1.9", False),
        ("0.2.0", "0.1.0", True),
        ("1.4.2", "1.0.0", False),
        ("2.0.0", "1.9.0", True),
        ("", "0.1.0", False),
    ],
)
def test_a_server_of_another_version_is_warned_of(
    server: str,
    ours: str,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connection, "version", lambda _: ours)
    connection._warn_of_version(server)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert (f"the server is taskgate {server}, this command is {ours}" in shown.err) is warned


def test_our_own_version_has_parts() -> None:
    assert connection._compatible_part(version("taskgate"))
