"""Page tokens: a position in a list, bound to the list that it was made for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Never

from taskgate.server.api.errors import Flaw, InvalidRequest, Violation

_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class PageTokens:
    """The tokens of one list: a call with its filters."""

    scope: str
    """A digest of what the list is of."""

    @classmethod
    def of(cls, call: str, filters: Any = None) -> PageTokens:
        """The tokens of a call's list. ``filters``: JSON, the same for every page."""
        text = json.dumps([call, filters], sort_keys=True)
        return cls(hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS])

    def write(self, position: Sequence[str]) -> str:
        """The token that asks for what comes after the position."""
        text = json.dumps([self.scope, *position], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def read(self, token: str, length: int) -> list[str] | None:
        """The position, of so many texts, that the token stands for; None for the first page.

        Raises:
            InvalidRequest: it is not a token of this list.
        """
        if not token:
            return None
        try:
            read: list[Any] = json.loads(base64.urlsafe_b64decode(token.encode()))
            scope, *position = read
        except (ValueError, TypeError, RecursionError):
            _refuse("it is not a next_page_token")
        if scope != self.scope:
            _refuse("it is of a list with other filters; begin that list anew")
        if len(position) != length or not all(isinstance(part, str) for part in position):
            _refuse("it is not a next_page_token")
        return position


def page_size(asked: int, default: int, most: int) -> int:
    """How many items to answer.

    Raises:
        InvalidRequest: fewer than none were asked for.
    """
    if asked < 0:
        raise InvalidRequest([Violation("page_size", f"{asked} is negative")])
    return min(asked or default, most)


def _refuse(description: str) -> Never:
    raise InvalidRequest([Violation("page_token", description, Flaw.PAGE_TOKEN_INVALID)])
