"""The tokens that callers show, known by their SHA-256 only.

The file has a line for each token: a name and the token's SHA-256 in hexadecimal. A name may have
several tokens, so that a token can be replaced without a gap. ``#`` begins a comment. The file is
read again when it changes; write the new one beside it and rename it into its place.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from taskgate.server.api.errors import TokenUnknown

logger = logging.getLogger(__name__)

LONGEST_NAME = 255

_SHA256 = re.compile(r"[0-9a-f]{64}")


class TokensFileError(ValueError):
    """The file cannot be read, or a line of it is wrong."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    sha256: str


class Tokens:
    """The callers of a tokens file."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            TokensFileError: it cannot be read, or a line of it is wrong.
        """
        self._path = path
        self._version = _version(path)
        self._entries = _read(path)

    def caller(self, token: str) -> str:
        """The name of the token's holder.

        Raises:
            TokenUnknown: nobody has this token.
        """
        self._read_again_if_changed()
        sha256 = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        # All of them, always: the time must not tell which one was near.
        matching = [e.name for e in self._entries if hmac.compare_digest(e.sha256, sha256)]
        if not matching:
            raise TokenUnknown
        return matching[0]

    def _read_again_if_changed(self) -> None:
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._entries = _read(self._path)
        except TokensFileError as exc:
            logger.warning("the tokens of before stay valid: %s", exc)
        else:
            logger.info("read %d tokens from %s", len(self._entries), self._path)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does; None if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> list[_Entry]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise TokensFileError(f"cannot read the tokens file {path}: {exc}") from exc
    entries = [
        _entry(line, f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.partition("#")[0].strip()
    ]
    if not entries:
        logger.warning("the tokens file %s has no token: nobody can call", path)
    return entries


def _entry(line: str, place: str) -> _Entry:
    # The line itself is not for the log: someone may have written the token into it.
    match line.partition("#")[0].split():
        case [name, sha256] if _SHA256.fullmatch(sha256.lower()) and len(name) <= LONGEST_NAME:
            return _Entry(name, sha256.lower())
    raise TokensFileError(f"{place}: not a name and a SHA-256 of 64 hexadecimal digits")
