"""A task function's parameters: their JSON Schemas for servers, their types for the function."""

from __future__ import annotations

import enum
import inspect
import math
import re
import typing
from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from celery.utils.log import get_logger
from pydantic import TypeAdapter, ValidationError

from taskgate.tasks.json_schemas import Schemas

logger = get_logger(__name__)

_DEFS = "#/$defs/{model}"
_MODULE_OR_TEXT = re.compile(r"('[^']*')|(?:\b[^\W\d]\w*\.)+")
_WRITTEN_ALIKE = (str, int, float, bool, type(None))


class ArgumentsInvalid(TypeError):
    """The task's arguments do not fit the function's parameters."""


class Parameters:
    """The parameters of a function, without the ``self`` of a bound one."""

    def __init__(self, function: Callable[..., Any], *, typed: bool) -> None:
        """``typed``: annotations count; otherwise only the names do."""
        self._name = getattr(function, "__qualname__", repr(function))
        self._signature = inspect.signature(function)
        self._hints = _type_hints(function) if typed else {}

    @cached_property
    def _adapters(self) -> dict[str, TypeAdapter[Any]]:
        adapters = {name: self._adapter(name) for name in self._signature.parameters}
        return {name: adapter for name, adapter in adapters.items() if adapter is not None}

    def _adapter(self, name: str) -> TypeAdapter[Any] | None:
        if name not in self._hints:
            return None
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(self._hints[name])
            adapter.json_schema(schema_generator=Schemas)
        except Exception as exc:  # noqa: BLE001 - a user's annotation can raise anything
            logger.warning(
                "%s: the annotation of %s is not checked: %s", self._name, name, _first_line(exc)
            )
            return None
        return adapter

    def convert(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as what the parameters are annotated with.

        Raises:
            ArgumentsInvalid: they do not fit.
        """
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as exc:
            raise ArgumentsInvalid(str(exc)) from exc
        for name in self._adapters.keys() & bound.arguments.keys():
            bound.arguments[name] = self._convert_one(name, bound.arguments[name])
        return bound.args, bound.kwargs

    def _convert_one(self, name: str, value: Any) -> Any:
        convert = self._adapters[name].validate_python
        try:
            match self._signature.parameters[name].kind:
                case inspect.Parameter.VAR_POSITIONAL:
                    return tuple(convert(item) for item in value)
                case inspect.Parameter.VAR_KEYWORD:
                    return {key: convert(item) for key, item in value.items()}
                case _:
                    return convert(value)
        except ValidationError as exc:
            raise ArgumentsInvalid(f"{name}: {_errors(exc)}") from exc

    def __str__(self) -> str:
        """In Python's notation, for people: ``(customer: str, pages: int = 20)``."""
        parameters = [self._shown(one) for one in self._signature.parameters.values()]
        return str(inspect.Signature(parameters))

    def _shown(self, parameter: inspect.Parameter) -> inspect.Parameter:
        if parameter.default is not parameter.empty:
            parameter = parameter.replace(default=_Text(_default_text(parameter.default)))
        annotation = self._shown_hints.get(parameter.name, "")
        shown = _Text(annotation) if annotation else parameter.empty
        return parameter.replace(annotation=shown)

    @cached_property
    def _shown_hints(self) -> dict[str, str]:
        # Without what Annotated adds, and without modules: names are what people look for.
        plain = typing.get_type_hints(SimpleNamespace(__annotations__=self._hints))
        return {
            name: _MODULE_OR_TEXT.sub(lambda m: m[1] or "", inspect.formatannotation(hint))
            for name, hint in plain.items()
            if hint is not Any
        }

    def definition(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The parameters in order, each with its schema, and the definitions the schemas share."""
        inputs = [(name, "validation", adapter) for name, adapter in self._adapters.items()]
        schemas, shared = TypeAdapter.json_schemas(
            typing.cast("Any", inputs), ref_template=_DEFS, schema_generator=Schemas
        )
        parameters = [
            {
                "name": name,
                "kind": parameter.kind.name,
                "required": _is_required(parameter),
                "schema": {**schemas.get((name, "validation"), {}), **_default(parameter)},
            }
            for name, parameter in self._signature.parameters.items()
        ]
        return parameters, shared.get("$defs", {})


class _Text:
    """What ``inspect`` writes as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


_of_tasks: WeakKeyDictionary[Any, Parameters] = WeakKeyDictionary()


def parameters_of(task: Any) -> Parameters:
    """The parameters of a task's function."""
    if task not in _of_tasks:
        _of_tasks[task] = Parameters(task.run, typed=task.typed)
    return _of_tasks[task]


def definition_of(task: Any) -> dict[str, Any]:
    """What is registered about a task type."""
    parameters, shared = parameters_of(task).definition()
    return {
        "signature": str(parameters_of(task)),
        "doc": inspect.getdoc(task.run) or "",
        "queue": _queue_of(task),
        "parameters": parameters,
        "defs": shared,
        "options": {
            "max_retries": task.max_retries,
            "default_retry_delay": task.default_retry_delay,
            "time_limit": task.time_limit,
            "soft_time_limit": task.soft_time_limit,
            "at_most_once": task.at_most_once,
            "autoretry_for": [error.__qualname__ for error in getattr(task, "autoretry_for", ())],
        },
    }


def _queue_of(task: Any) -> str:
    """Where the task's app sends it: its own queue, ``task_routes``, ``task_default_queue``."""
    amqp = task.app.amqp
    # Its own set of queues: a worker consumes from what the app's has, and a route may add to it.
    router = amqp.Router(queues=amqp.Queues(task.app.conf.task_queues))
    try:
        options = dict(task._get_exec_options())  # noqa: SLF001 - as its apply_async does
        queue = router.route(options, task.name, (), {}, task)["queue"]
    except Exception:  # a user's router can raise anything, above all without arguments
        logger.warning("%s: its router names no queue without arguments", task.name, exc_info=True)
        return str(task.app.conf.task_default_queue)
    return str(queue.name)


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception as exc:  # noqa: BLE001 - a user's annotation can raise anything
        logger.warning("%s: annotations are not checked: %s", function, exc)
        return {}


def _is_required(parameter: inspect.Parameter) -> bool:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in variable


def _default(parameter: inspect.Parameter) -> dict[str, Any]:
    """``{"default": …}``, for people, if it is one that is written alike in every process."""
    default = parameter.default
    if isinstance(default, enum.Enum):
        default = default.value
    if isinstance(default, float) and not math.isfinite(default):
        return {}
    return {"default": default} if isinstance(default, _WRITTEN_ALIKE) else {}


def _default_text(default: Any) -> str:
    if isinstance(default, enum.Enum):
        return f"{type(default).__name__}.{default.name}"
    # A repr may hold an address, and each worker would register another revision.
    return repr(default) if isinstance(default, _WRITTEN_ALIKE) else "…"


def _errors(exc: ValidationError) -> str:
    problems = exc.errors(include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))} {problem['msg']}".strip() for problem in problems
    )


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
