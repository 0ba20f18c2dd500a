"""Who calls: the tokens that callers show, known by their SHA-256 only, and their certificates.

The file has a line for each token: a name and the token's SHA-256 in hexadecimal, or the word
``certificate`` for a name in client certificates. A name may have several tokens, so that a token
can be replaced without a gap. What follows limits what the caller may; without it all is allowed::

    alice  5e88…42d8
    bob    certificate  roles=read,submit  task_types=reports.*  queues=batch,reports-*

``#`` begins a comment. The file is read again when it changes; write the new one beside it and
rename it into its place.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from taskgate.server.callers import ANYONE, Caller, Patterns, Role, roles
from taskgate.server.errors import TokenMissing, TokenUnknown

logger = logging.getLogger(__name__)

caller: ContextVar[Caller] = ContextVar("caller", default=ANYONE)
"""The caller of the call that is being served."""

MAX_NAME_LENGTH = 255


def log_context() -> Mapping[str, str]:
    """What log lines of the call that is being served are about."""
    name = caller.get().name
    return {"caller": name} if name else {}


_SCHEME = "bearer"
_CERTIFICATE = "certificate"
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
        self._callers = _read(path)

    @property
    def name_certificates(self) -> bool:
        """Whether there is a line for a client certificate, so that no token is needed."""
        self._read_again_if_changed()
        return bool(self._callers.by_certificate)

    def caller(self, token: str) -> Caller:
        """The token's holder.

        Raises:
            TokenUnknown: nobody has this token.
        """
        return self.holder(_digest(token))

    def holder(self, sha256: str) -> Caller:
        """The holder of the token with this SHA-256, in hexadecimal.

        Raises:
            TokenUnknown: nobody has such a token.
        """
        self._read_again_if_changed()
        # A look-up whose time depends on the digest says nothing useful about the token.
        found = self._callers.by_sha256.get(sha256)
        if found is None:
            raise TokenUnknown
        return found

    def certified(self, name: str) -> Caller:
        """The caller with this name in its certificate.

        Raises:
            TokenMissing: there is no line for it, so it needs a token.
        """
        found = self._callers.by_certificate.get(name)
        if found is None:
            raise TokenMissing
        return found

    def _read_again_if_changed(self) -> None:
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._callers = _read(self._path)
        except TokensFileError as exc:
            logger.warning("the tokens read before stay valid: %s", exc)
        else:
            logger.info("read %d callers from %s", len(self._callers), self._path)


def bearer_token(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The token that came with a call as `authorization: Bearer …`."""
    for key, value in metadata:
        if key == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == _SCHEME and token.strip():
                return token.strip()
    return None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does; None if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@dataclass(frozen=True, slots=True)
class _Callers:
    by_sha256: dict[str, Caller] = field(default_factory=dict)
    by_certificate: dict[str, Caller] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.by_sha256) + len(self.by_certificate)

    def add(self, shown: str, caller: Caller) -> None:
        """``shown``: a token's SHA-256, or the word for a certificate; the first line counts."""
        if shown == _CERTIFICATE:
            self.by_certificate.setdefault(caller.name, caller)
        else:
            self.by_sha256.setdefault(shown, caller)


def _read(path: Path) -> _Callers:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise TokensFileError(f"cannot read the tokens file {path}: {exc}") from exc
    callers = _Callers()
    for number, line in enumerate(lines, start=1):
        entry = _entry(line, f"{path}, line {number}")
        if entry is not None:
            callers.add(*entry)
    if not len(callers):
        logger.warning("the tokens file %s has no token: nobody can call", path)
    return callers


def _entry(line: bytes, place: str) -> tuple[str, Caller] | None:
    """What a line's caller shows, and the caller; None if the line holds neither."""
    # The line itself is not for the log: someone may have written the token into it.
    try:
        text = line.decode().partition("#")[0].split()
    except UnicodeDecodeError as exc:
        raise TokensFileError(f"{place}: not UTF-8 text") from exc
    match text:
        case []:
            return None
        case [name, _, *_] if not name.isprintable():
            raise TokensFileError(f"{place}: a byte order mark or control characters in the name")
        case [name, shown, *limits] if _can_be_shown(shown) and len(name) <= MAX_NAME_LENGTH:
            return shown.lower(), _limited(name, limits, place)
    raise TokensFileError(
        f"{place}: not a name and a SHA-256 of 64 hexadecimal digits or the word {_CERTIFICATE}"
    )


def _can_be_shown(word: str) -> bool:
    return word.lower() == _CERTIFICATE or _SHA256.fullmatch(word.lower()) is not None


def _limited(name: str, limits: Iterable[str], place: str) -> Caller:
    """The caller within the limits that a line gives after what it shows."""
    given: dict[str, tuple[str, ...]] = {}
    for limit in limits:
        key, _, values = limit.partition("=")
        if key not in ("roles", "task_types", "queues") or not values or key in given:
            raise TokensFileError(
                f"{place}: after the SHA-256 can come, once each, roles=…, task_types=… and "
                "queues=…, their values separated by commas"
            )
        given[key] = tuple(value for value in values.split(",") if value)
    caller = Caller(
        name, task_types=_patterns(given, "task_types"), queues=_patterns(given, "queues")
    )
    if "roles" not in given:
        return caller
    try:
        return replace(caller, roles=roles(given["roles"]))
    except ValueError as exc:
        raise TokensFileError(f"{place}: {exc}: there are {', '.join(Role)}") from exc


def _patterns(given: Mapping[str, tuple[str, ...]], key: str) -> Patterns | None:
    return Patterns(given[key]) if key in given else None
