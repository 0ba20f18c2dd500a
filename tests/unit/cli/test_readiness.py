from __future__ import annotations

import pytest

from taskgate.cli.readiness import Readiness, notify_ready


def test_a_part_says_where_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with Readiness() as readiness:
        assert readiness.address() is None
        for name, value in readiness.environment.items():
            monkeypatch.setenv(name, value)
        notify_ready("127.0.0.1:4711", "http://127.0.0.1:4712/")
        assert readiness.address() == "127.0.0.1:4711"
        assert readiness.dashboard_url == "http://127.0.0.1:4712/"
        assert readiness.address() is None


def test_nobody_has_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify_ready("127.0.0.1:4711")
