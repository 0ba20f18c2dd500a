"""Columns of text, whatever characters a program sends."""

from __future__ import annotations

from sqlalchemy import Dialect, String, Text, TypeDecorator


def storable(text: str) -> str:
    """The text with U+FFFD for what a database cannot hold: NUL and lone surrogates."""
    if "\0" not in text and text.isascii():
        return text
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


class _Storable(TypeDecorator[str]):
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else storable(value)


class Name(_Storable):
    """Text of bounded length, in characters; only PostgreSQL keeps the bound."""

    impl = String
    cache_ok = True


class LongText(_Storable):
    """Text of any length."""

    impl = Text
    cache_ok = True
