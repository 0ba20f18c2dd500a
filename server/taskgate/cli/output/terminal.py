"""The one place where the command writes, and where text of others is made safe to show.

What a task, its caller or a server says may hold what a terminal obeys (ESC, C1 controls), what
turns a line around (bidirectional controls) or begins one (U+2028). It is shown as an escape.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from itertools import accumulate
from typing import Any

import click
from rich.console import Console
from rich.text import Span, Text

_JOINERS = "\u200c\u200d"
"""Not printable by themselves, yet parts of emoji and of Persian and Indic words."""


def safe(text: str) -> str:
    """The text with unsafe characters as Python's escapes; line feeds and tabs stay."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def safe_text(text: Text) -> Text:
    """The same of a styled text."""
    if text.plain.isprintable():
        return text
    offsets = [0, *accumulate(len(_escaped(character)) for character in text.plain)]
    copy = text.blank_copy(safe(text.plain))
    copy.spans = [Span(offsets[start], offsets[end], style) for start, end, style in text.spans]
    return copy


def one_line(text: str) -> str:
    """The text in one line: white space of any kind becomes a space."""
    return " ".join(text.split())


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON: numbers exact, times in ISO 8601, unsafe characters as JSON's escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_time)
    if text.isprintable():
        return text
    return "".join(c if _is_safe(c) else json.dumps(c)[1:-1] for c in text)


def write(*parts: str | Text | tuple[str, str], err: bool = False) -> None:
    """Write a line to standard output, or to standard error; a part may be a text and its style."""
    if all(isinstance(part, str) for part in parts):
        click.echo(safe("".join(map(str, parts))), err=err)
    else:  # as it is: a pipe has no width to wrap at, and a terminal wraps by itself
        console(err=err).print(safe_text(Text.assemble(*parts)), soft_wrap=True)


def write_json(value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON, in a line unless it is to be indented."""
    click.echo(json_text(value, indent=indent))


def console(*, err: bool = False) -> Console:
    """A terminal, or what stands in its place; texts are not read as markup."""
    return Console(stderr=err, highlight=False, markup=False, emoji=False)


def _is_safe(character: str) -> bool:
    return (
        character.isprintable()
        or character in "\n\t"
        or character in _JOINERS
        or unicodedata.category(character) == "Zs"
    )


def _escaped(character: str) -> str:
    return character if _is_safe(character) else ascii(character)[1:-1]


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{value!r} has no JSON form")
