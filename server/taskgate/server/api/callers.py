"""Who calls: the name of the token that came with a call."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

from taskgate.server.api.errors import TokenMissing
from taskgate.server.api.tokens import Tokens

ANYONE = ""
"""The caller's name on a server that asks for no tokens."""

caller: ContextVar[str] = ContextVar("caller", default=ANYONE)
"""The name of the caller of the call that is being served."""

_SCHEME = "bearer"


def authenticate(metadata: Iterable[tuple[str, str | bytes]], tokens: Tokens | None) -> str:
    """The name of the caller who sent this metadata.

    Raises:
        TokenMissing: there is no `authorization: Bearer …`.
        TokenUnknown: the token is nobody's.
    """
    if tokens is None:
        return ANYONE
    for key, value in metadata:
        if key == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == _SCHEME and token.strip():
                return tokens.caller(token.strip())
    raise TokenMissing
