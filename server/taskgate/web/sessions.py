"""Who looks: the holder of a token, by a signed cookie; anyone, on a server that asks for none."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets

from starlette.requests import Request

from taskgate.server.api.authentication import Tokens
from taskgate.server.callers import ANYONE, Caller
from taskgate.server.errors import TokenMissing

logger = logging.getLogger(__name__)

SESSION_SECONDS = 12 * 3600
"""How long one need not log in again."""

_TOKEN = "token_sha256"  # noqa: S105 - a name
_NONCE = "nonce"


class Sessions:
    """Logs callers in and out, and knows them.

    The cookie holds the SHA-256 of the token, so that a session ends when its token does. The key
    is this process's own: sessions end with it, too.
    """

    def __init__(self, tokens: Tokens | None) -> None:
        """``tokens``: None lets everyone look and act."""
        self.tokens = tokens
        self.key = secrets.token_hex(32)

    def caller(self, request: Request) -> Caller:
        """Who is logged in.

        Raises:
            TokenMissing: nobody is.
            TokenUnknown: the session's token is no longer valid.
        """
        if self.tokens is None:
            return ANYONE
        sha256 = request.session.get(_TOKEN)
        if not isinstance(sha256, str):
            raise TokenMissing
        return self.tokens.holder(sha256)

    def log_in(self, request: Request, token: str) -> Caller:
        """Begin a session for the token's holder.

        Raises:
            TokenMissing: the token is empty, or the server asks for none.
            TokenUnknown: the token is nobody's.
        """
        if self.tokens is None or not token:
            raise TokenMissing
        caller = self.tokens.caller(token)
        sha256 = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        request.session.update({_TOKEN: sha256, _NONCE: secrets.token_hex(16)})
        logger.info("%r logged in to the dashboard", caller.name)
        return caller

    def log_out(self, request: Request) -> None:
        """End the session."""
        request.session.clear()

    def csrf_token(self, request: Request) -> str:
        """What the forms of this session's pages hold, and no other site can know."""
        nonce = str(request.session.get(_NONCE, ""))
        return hmac.new(self.key.encode(), b"csrf:" + nonce.encode(), hashlib.sha256).hexdigest()
