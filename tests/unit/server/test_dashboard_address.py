"""Where the dashboard listens if it may choose."""

from __future__ import annotations

from contextlib import closing

from taskgate.server.settings import ANY_PORT, ServerSettings
from taskgate.web.dashboard import _listen


def test_a_port_that_is_taken_is_no_hindrance() -> None:
    _, first = _listen(ANY_PORT)
    with closing(first):
        address, second = _listen(ANY_PORT)
        with closing(second):
            assert first.getsockname()[1] != second.getsockname()[1]
            assert address.host == "127.0.0.1"


def test_it_is_on_loopback_and_needs_no_tokens() -> None:
    assert ServerSettings(taskgate_web_address=ANY_PORT).taskgate_web_address == "auto"
