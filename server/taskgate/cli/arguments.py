"""Task arguments on the command line.

``2`` and ``'{"a": [1]}'`` are JSON, ``hello`` is no JSON and so a string, ``x=2`` is a keyword
argument. ``--args`` and ``--kwargs`` take JSON as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import click

_NAMED = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A task's arguments; None where the command line says nothing about them."""

    args: list[Any] | None
    kwargs: dict[str, Any] | None


def parse_arguments(
    words: Sequence[str], args_json: str | None, kwargs_json: str | None
) -> Arguments:
    """The arguments that the words and the two options give.

    Raises:
        click.UsageError: they contradict each other, or JSON is malformed.
    """
    named = [match.groups() for word in words if (match := _NAMED.fullmatch(word))]
    positional = [_value(word) for word in words if not _NAMED.fullmatch(word)]
    if positional and args_json is not None:
        raise click.UsageError("give positional arguments as words or with --args, not both")
    args = positional or None if args_json is None else _json(args_json, list, "--args")
    kwargs = None if kwargs_json is None else _json(kwargs_json, dict, "--kwargs")
    for name, text in named:
        kwargs = {} if kwargs is None else kwargs
        if name in kwargs:
            raise click.UsageError(f"the keyword argument {name!r} is given twice")
        kwargs[name] = _value(text)
    return Arguments(args, kwargs)


def parse_labels(words: Sequence[str]) -> dict[str, str]:
    """Labels from ``key=value`` words.

    Raises:
        click.UsageError: a word has no ``=``.
    """
    labels = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"--label {word!r} is not key=value")
        labels[key] = value
    return labels


def _value(word: str) -> Any:
    try:
        return parse_json(word)
    except ValueError:
        return word


def _json(text: str, kind: type, option: str) -> Any:
    try:
        value = parse_json(text)
    except ValueError as exc:
        raise click.UsageError(f"{option} is not JSON: {exc}") from exc
    if not isinstance(value, kind):
        shape = "a list, such as '[2, 3]'" if kind is list else """an object, such as '{"x": 2}'"""
        raise click.UsageError(f"{option} must be {shape}")
    return value


def parse_json(text: str | bytes) -> Any:
    """The value, with every whole number exact.

    Raises:
        ValueError: it is not JSON.
        click.UsageError: a number in it is too large.
    """
    return json.loads(text, parse_float=_finite, parse_constant=_refuse)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise click.UsageError(f"the number {text} is too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
