"""The application context that is entered around every run, such as a Flask app's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, reduce
from importlib import import_module
from typing import Any, cast

ContextFactory = Callable[[], AbstractContextManager[Any]]


class ContextInvalid(Exception):
    """TASKGATE_CONTEXT names nothing that makes a context manager."""


@cache
def context_factory(name: str | None) -> ContextFactory:
    """What ``package.module:attribute`` names; without a name, a context that does nothing.

    Raises:
        ContextInvalid: there is no such thing, or it cannot be called.
    """
    if not name:
        return nullcontext
    module, _, attributes = name.partition(":")
    try:
        found: Any = reduce(getattr, attributes.split("."), cast("Any", import_module(module)))
    except (ImportError, AttributeError, ValueError) as exc:
        raise ContextInvalid(
            f"TASKGATE_CONTEXT={name!r} is not to be found as package.module:factory: {exc}"
        ) from exc
    if not callable(found):
        raise ContextInvalid(f"TASKGATE_CONTEXT={name!r} cannot be called")
    factory: ContextFactory = found
    return factory
