"""Making methods that wait in a thread of those that wait in an event loop."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from taskgate.client.transport import iterate, run

Core = TypeVar("Core")
Core_co = TypeVar("Core_co", covariant=True)
Result = TypeVar("Result")
Wrapped = TypeVar("Wrapped")
P = ParamSpec("P")


class Blocking(Protocol[Core_co]):
    """An object whose methods wait for those of its core, which is over a BlockingTransport."""

    @property
    def _core(self) -> Core_co: ...


@overload
def blocking(
    method: Callable[Concatenate[Core, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Blocking[Core], P], Result]: ...
@overload
def blocking(
    method: Callable[Concatenate[Core, P], Coroutine[Any, Any, Result]],
    wrap: Callable[[Result], Wrapped],
) -> Callable[Concatenate[Blocking[Core], P], Wrapped]: ...
def blocking(
    method: Callable[Concatenate[Core, P], Coroutine[Any, Any, Any]],
    wrap: Callable[[Any], Any] | None = None,
) -> Callable[Concatenate[Blocking[Core], P], Any]:
    """The method, but waiting for its result, which ``wrap`` makes a blocking object of."""

    def call(self: Blocking[Core], /, *args: P.args, **kwargs: P.kwargs) -> Any:
        result = run(method(self._core, *args, **kwargs))
        return result if wrap is None else wrap(result)

    _document(call, method, wrap)
    return call


def iterating(
    method: Callable[Concatenate[Core, P], AsyncGenerator[Result]],
) -> Callable[Concatenate[Blocking[Core], P], Generator[Result]]:
    """The method, but iterating over its items."""

    def call(self: Blocking[Core], /, *args: P.args, **kwargs: P.kwargs) -> Generator[Result]:
        return iterate(method(self._core, *args, **kwargs))

    _document(call, method, Generator)
    return call


def wrapping(
    method: Callable[Concatenate[Core, P], Result], wrap: Callable[[Result], Wrapped]
) -> Callable[Concatenate[Blocking[Core], P], Wrapped]:
    """The method, which waits for nothing, but ``wrap`` makes a blocking object of its result."""

    def call(self: Blocking[Core], /, *args: P.args, **kwargs: P.kwargs) -> Wrapped:
        return wrap(method(self._core, *args, **kwargs))

    _document(call, method, wrap)
    return call


def _document(call: Any, method: Callable[..., Any], returns: Any) -> None:
    """Give ``call`` the method's name, parameters and description."""
    update_wrapper(call, method)
    if returns is not None:
        call.__signature__ = inspect.signature(method).replace(return_annotation=returns)
