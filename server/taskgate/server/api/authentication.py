"""Who calls: the tokens that callers show, known by their SHA-256 only.

The file has a line for each token: a name and the token's SHA-256 in hexadecimal. A name may have
several tokens, so that a token can be replaced without a gap. ``#`` begins a comment. The file is
read again when it changes; write the new one beside it and rename it into its place.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path

from taskgate.server.errors import TokenMissing, TokenUnknown

logger = logging.getLogger(__name__)

ANYONE = ""
"""The caller's name on a server that asks for no tokens."""

caller: ContextVar[str] = ContextVar("caller", default=ANYONE)
"""The name of the caller of the call that is being served."""

MAX_NAME_LENGTH = 255

_SCHEME = "bearer"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class TokensFileError(ValueError):
    """The file cannot be read, or a line of it is wrong."""


class Tokens:
    """The callers of a tokens file."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            TokensFileError: it cannot be read, or a line of it is wrong.
        """
        self._path = path
        self._version = _version(path)
        self._names = _read(path)

    def caller(self, token: str) -> str:
        """The name of the token's holder.

        Raises:
            TokenUnknown: nobody has this token.
        """
        self._read_again_if_changed()
        # A look-up whose time depends on the digest says nothing useful about the token.
        name = self._names.get(_digest(token))
        if name is None:
            raise TokenUnknown
        return name

    def _read_again_if_changed(self) -> None:
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._names = _read(self._path)
        except TokensFileError as exc:
            logger.warning("the tokens read before stay valid: %s", exc)
        else:
            logger.info("read %d tokens from %s", len(self._names), self._path)


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


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does; None if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> Mapping[str, str]:
    """The names by the SHA-256 of their tokens."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise TokensFileError(f"cannot read the tokens file {path}: {exc}") from exc
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        sha256_and_name = _entry(line, f"{path}, line {number}")
        if sha256_and_name is not None:
            names.setdefault(*sha256_and_name)
    if not names:
        logger.warning("the tokens file %s has no token: nobody can call", path)
    return names


def _entry(line: bytes, place: str) -> tuple[str, str] | None:
    """A line's SHA-256 and name; None if it holds neither."""
    # The line itself is not for the log: someone may have written the token into it.
    try:
        text = line.decode().partition("#")[0].split()
    except UnicodeDecodeError as exc:
        raise TokensFileError(f"{place}: not UTF-8 text") from exc
    match text:
        case []:
            return None
        case [name, _] if not name.isprintable():
            raise TokensFileError(f"{place}: a byte order mark or control characters in the name")
        case [name, sha256] if _SHA256.fullmatch(sha256.lower()) and len(name) <= MAX_NAME_LENGTH:
            return sha256.lower(), name
    raise TokensFileError(f"{place}: not a name and a SHA-256 of 64 hexadecimal digits")
