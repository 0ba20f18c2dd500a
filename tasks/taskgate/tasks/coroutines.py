"""``async def`` tasks: on one event loop a process, whatever the pool."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

from taskgate.tasks.attempt import LOOK_SECONDS, Attempt, running_attempt

CANCEL_SECONDS = 5.0
"""How long a coroutine that was cancelled may take to clean up."""

_loops: dict[int, asyncio.AbstractEventLoop] = {}
_starting = threading.Lock()


def make_callable(task: Any) -> None:
    """Have Celery's tracer, and ``autoretry_for``, run a coroutine function as any other.

    Direct calls still give the coroutine.
    """
    name = "_orig_run" if "_orig_run" in task.__dict__ else "run"
    function = getattr(task, name)
    if not inspect.iscoroutinefunction(function):
        return
    # Celery's own stack is one a thread: on the loop all coroutines would share it.
    type(task).request_stack = RequestStack()

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        attempt = running_attempt(task.request)
        coroutine = function(*args, **kwargs)
        return coroutine if attempt is None or _is_on_a_loop() else _wait(attempt, coroutine)

    setattr(task, name, run)


class RequestStack:
    """Celery's stack of requests, one for each context instead of each thread."""

    def __init__(self) -> None:
        self._requests: ContextVar[tuple[Any, ...]] = ContextVar("requests", default=())

    def push(self, request: Any) -> None:
        """Make ``request`` the current one."""
        self._requests.set((*self._requests.get(), request))

    def pop(self) -> Any:
        """Take the current request off; None if there is none."""
        *rest, top = self._requests.get() or (None,)
        self._requests.set(tuple(rest))
        return top

    def __len__(self) -> int:
        return len(self._requests.get())

    @property
    def stack(self) -> list[Any]:
        """All requests, the current one last."""
        return list(self._requests.get())

    @property
    def top(self) -> Any:
        """The current request; None if there is none."""
        return self._requests.get()[-1] if self._requests.get() else None


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _loop() -> asyncio.AbstractEventLoop:
    """This process's loop, in a thread of its own."""
    with _starting:
        if os.getpid() not in _loops:  # a forked child has its parent's, but not the thread
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="taskgate-loop", daemon=True).start()
            _loops[os.getpid()] = loop
        return _loops[os.getpid()]


class _Run:
    """A coroutine on the loop, and the thread that waits for it."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._loop = _loop()
        self._task: asyncio.Task[None] | None = None
        self.has_ended = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None
        # With the waiting thread's context: the request and the attempt are the coroutine's.
        self._loop.call_soon_threadsafe(self._start, context=copy_context())

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            self.value = await self._coroutine
        except BaseException as exc:  # noqa: BLE001 - sys.exit() would end the loop
            self.error = exc
        finally:
            self.has_ended.set()

    def cancel(self) -> None:
        """Cancel it, and leave it the time to clean up."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())
        self.has_ended.wait(CANCEL_SECONDS)


def _wait(attempt: Attempt, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run the coroutine to its end; it is cancelled when the task is aborted or out of time."""
    run = _Run(coroutine)
    try:
        while not run.has_ended.wait(LOOK_SECONDS):
            if attempt.is_aborted():
                run.cancel()
                break
    except BaseException:  # a soft time limit interrupts the waiting thread
        run.cancel()
        raise
    if run.error is not None:
        raise run.error
    return run.value
