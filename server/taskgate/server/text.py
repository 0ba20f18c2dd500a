"""Text for people: printable, and no longer than it may be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False)


def printable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot carry, written as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def fit(text: str, characters: int) -> str:
    """The text, cut to so many characters."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def quote(value: Any, characters: int = 80) -> str:
    """A JSON value as people read it, cut to so many characters."""
    text = ""
    for part in _ENCODER.iterencode(value):  # a value can be much longer than what is shown of it
        text += part[: characters + 1]
        if len(text) > characters:
            break
    return fit(printable(text), characters)


def nearest(name: str, known: Iterable[str]) -> str:
    """``: did you mean …?`` with the known names that are like it; empty if none is."""
    like = difflib.get_close_matches(fit(name, 255), list(known), n=3, cutoff=0.6)
    return f": did you mean {', '.join(map(repr, like))}?" if like else ""
