from __future__ import annotations

import pytest

from taskgate.cli import dashboard, exits
from taskgate.cli.dashboard import dashboard_maker
from taskgate.cli.exits import CommandError
from taskgate.server.settings import ServerSettings

WANTED = ServerSettings(taskgate_web_address="127.0.0.1:0")


def test_nobody_has_to_want_one() -> None:
    assert dashboard_maker(ServerSettings(taskgate_web_address="")) is None


def test_one_that_is_installed_is_made() -> None:
    assert dashboard_maker(WANTED) is not None


def test_one_that_is_not_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "find_spec", lambda _name: None)
    with pytest.raises(CommandError, match=r"pip install 'taskgate\[web\]'") as raised:
        dashboard_maker(WANTED)
    assert raised.value.exit_code == exits.USAGE
