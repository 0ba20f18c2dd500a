"""The dashboard of ``taskgate server`` and ``taskgate up``: whether there is to be one."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from taskgate.cli import exits
from taskgate.cli.doctor.examination import examine
from taskgate.cli.exits import CommandError
from taskgate.server.server import MakeDashboard
from taskgate.server.settings import ServerSettings

_NEEDED = ("itsdangerous", "jinja2", "starlette", "uvicorn")


def is_installed() -> bool:
    """Whether the extra is."""
    return all(find_spec(name) is not None for name in _NEEDED)


def dashboard_maker(settings: ServerSettings) -> MakeDashboard | None:
    """What makes the dashboard that the settings ask for; None if they ask for none.

    Raises:
        CommandError: it is not installed.
    """
    if not settings.taskgate_web_address:
        return None
    if not is_installed():
        raise CommandError(
            "TASKGATE_WEB_ADDRESS asks for the dashboard, which is not installed: "
            "pip install 'taskgate[web]'",
            exit_code=exits.USAGE,
        )
    from taskgate.web.dashboard import Dashboard  # noqa: PLC0415 - it may not be there

    return partial(Dashboard, examine=lambda: list(examine(settings)))
