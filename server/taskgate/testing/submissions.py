"""What was submitted, compared with what a test expects, and shown."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskgate.client import Task

_MOST_SHOWN = 20


def bound(
    function: Callable[..., Any] | None, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments by the function's parameters, so that it matters not how they were given."""
    plain_args, plain_kwargs = [_plain(one) for one in args], _plain(dict(kwargs))
    if function is not None:
        try:
            named = inspect.signature(function).bind(*plain_args, **plain_kwargs)
        except TypeError:
            pass  # they do not fit it, and are compared as they are
        else:
            return {name: _plain(value) for name, value in named.arguments.items()}
    return {"args": plain_args, "kwargs": plain_kwargs}


def _plain(value: Any) -> Any:
    """The value as JSON gives it back."""
    match value:
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
    return value


def call_text(
    task_type: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, is_any: bool = False
) -> str:
    """A submission as a call in Python; ``is_any``: its arguments do not matter."""
    if is_any:
        return f"{task_type}(…)"
    given = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{task_type}({', '.join(given)})"


def task_text(task: Task) -> str:
    """A task, in a line."""
    return f"{call_text(task.task_type, task.args, task.kwargs)}  {task.state}"


def mismatch(
    wanted: str, task_type: str, fitting: Sequence[Task], everything: Sequence[Task]
) -> str:
    """Why there is not exactly one task that fits."""
    if fitting:
        return f"{len(fitting)} tasks fit {wanted}, one should:\n{_lines(fitting)}"
    alike = [task for task in everything if task.task_type == task_type]
    if alike:
        return f"no {wanted} was submitted, but of this type:\n{_lines(alike)}"
    if not everything:
        return f"no {wanted} was submitted: nothing was"
    near = difflib.get_close_matches(task_type, {task.task_type for task in everything}, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"no {wanted} was submitted{hint}, but:\n{_lines(everything)}"


def _lines(tasks: Sequence[Task]) -> str:
    lines = [f"  {task_text(task)}" for task in tasks[:_MOST_SHOWN]]
    if len(tasks) > _MOST_SHOWN:
        lines.append(f"  … and {len(tasks) - _MOST_SHOWN} more")
    return "\n".join(lines)
