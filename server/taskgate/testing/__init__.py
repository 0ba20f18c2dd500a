"""taskgate for the tests of your own project: everything real, in one process, without a broker.

::

    def test_a_report(gate):
        task = gate.client.submit("reports.monthly", ["Ann"], {"pages": 2})
        assert gate.result(task) == "Ann.pdf"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskgate.testing.gate import Gate, NotRunnable

__all__ = ["Gate", "NotRunnable"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest imports this package in projects that do not use it, too."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.gate"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
