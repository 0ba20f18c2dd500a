"""What the server refuses, and why.

::

    RequestError
    ├── InvalidRequest       fields are wrong; has every violation that was found
    ├── MalformedRequest     the bytes are not the request's message
    ├── MessageTooLarge      the bytes are too many
    ├── CallUnknown          there is no such call
    ├── TooManyCalls         as many calls as may be are under way
    ├── PayloadTooLarge      the arguments are too long
    ├── QueueFull            as many tasks as may wait in the queue are waiting
    ├── CannotForceAbort     the worker that runs the task cannot end it
    ├── Unauthenticated
    │   ├── TokenMissing     no token came with the call
    │   └── TokenUnknown     the token is nobody's
    ├── PermissionDenied
    │   ├── RoleMissing          the call needs a role that the caller does not have
    │   ├── TaskTypeNotAllowed   the caller's tasks must be of other types
    │   └── QueueNotAllowed      the caller's tasks must be in other queues
    └── ShuttingDown         the server is going; another one may answer

The store's own errors (``taskgate.store.errors``) pass through. ``api/statuses.py`` says what each
of them means to a gRPC client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from taskgate.server.text import fit, nearest


class ViolationReason(StrEnum):
    """What is wrong with a field. The first of them gives the call its reason."""

    TASK_TYPE_UNKNOWN = "TASK_TYPE_UNKNOWN"
    ARGUMENTS_INVALID = "ARGUMENTS_INVALID"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - the API's word, no password
    FIELD_INVALID = "FIELD_INVALID"


@dataclass(frozen=True, slots=True)
class Violation:
    """A wrong field: its path in the request, and a sentence with its value and the way out."""

    field: str
    description: str
    reason: ViolationReason = ViolationReason.FIELD_INVALID


class RequestError(Exception):
    """The request was refused."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Facts about the refusal, for programs."""
        return {}


class InvalidRequest(RequestError):
    """Fields of the request are wrong."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in violations))

    @property
    def reason(self) -> ViolationReason:
        """The first of the violations' reasons, in the order of ``ViolationReason``."""
        found = {violation.reason for violation in self.violations}
        return next(reason for reason in ViolationReason if reason in found)


class MalformedRequest(RequestError):
    """The request's bytes are not the call's message."""

    def __init__(self) -> None:
        super().__init__(
            "the request could not be decoded: it is no message of this call's type, has text "
            "that is not UTF-8, or is nested more than 100 deep (arguments_json takes more)"
        )


class MessageTooLarge(RequestError):
    """The request's bytes are too many."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the request is longer than {limit:,} bytes: send fewer tasks at once, pass a "
            "reference to where large data is, or raise TASKGATE_MAX_MESSAGE_BYTES"
        )
        self.limit = limit

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"limit_bytes": str(self.limit)}


class CallUnknown(RequestError):
    """The server has no such call."""

    def __init__(self, method: str, known: Iterable[str]) -> None:
        """``method``: its path, ``/package.Service/Call``."""
        super().__init__(f"there is no call {method!r}{nearest(method, known)}")
        self.method = method

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"method": self.method}


class TooManyCalls(RequestError):
    """As many calls as may be are under way."""

    def __init__(self, limit: int, caller: str | None = None) -> None:
        """``caller``: whose calls are too many; None if all together are."""
        whose = "" if caller is None else f" of {caller!r}"
        super().__init__(
            f"{limit:,} calls{whose} are under way already: call again later, wait with fewer "
            "calls (Watch takes many tasks), or raise TASKGATE_MAX_CONCURRENT_CALLS"
        )
        self.limit = limit

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"limit": str(self.limit)}


class PayloadTooLarge(RequestError):
    """The arguments are too long."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the arguments take {size:,} bytes as JSON text, and {limit:,} are allowed: pass a "
            "reference to where the data is, or raise TASKGATE_MAX_PAYLOAD_BYTES"
        )
        self.size = size
        self.limit = limit

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"size_bytes": str(self.size), "limit_bytes": str(self.limit)}


class QueueFull(RequestError):
    """As many tasks as may wait in the queue are waiting."""

    def __init__(self, queue: str, limit: int) -> None:
        super().__init__(
            f"queue {queue!r} is full: {limit:,} tasks wait in it; submit again later, add "
            "workers, or raise TASKGATE_MAX_QUEUED"
        )
        self.queue = queue
        self.limit = limit

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"queue": self.queue, "limit": str(self.limit)}


class CannotForceAbort(RequestError):
    """The worker that runs the task cannot end a task's process."""

    def __init__(self, task_id: str, worker: str, pool: str) -> None:
        super().__init__(
            f"task {task_id} runs on worker {worker!r}, whose pool ({pool or 'unknown'}) cannot "
            "end a running task, as a prefork pool can: abort it without force"
        )
        self.task_id = task_id
        self.worker = worker
        self.pool = pool

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"worker": self.worker, "pool": self.pool}


class Unauthenticated(RequestError):
    """It is not known who calls."""


class TokenMissing(Unauthenticated):
    """No token came with the call."""

    def __init__(self) -> None:
        super().__init__("this server wants a token: send the metadata `authorization: Bearer …`")


class TokenUnknown(Unauthenticated):
    """The token is nobody's."""

    def __init__(self) -> None:
        super().__init__("the token is not one of this server's")


class PermissionDenied(RequestError):
    """It is known who calls, and they may not."""


class RoleMissing(PermissionDenied):
    """The call needs a role that the caller does not have."""

    def __init__(self, caller: str, role: str, call: str, has: Sequence[str]) -> None:
        """``has``: the roles that the caller has."""
        super().__init__(
            f"{call} needs the role {role!r}, and {caller!r} has {', '.join(has) or 'none'}: use "
            "another token, or have the role added to the caller's line of the tokens file"
        )
        self.caller = caller
        self.role = role

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"caller": self.caller, "role": self.role}


class TaskTypeNotAllowed(PermissionDenied):
    """The caller's tasks must be of other types."""

    def __init__(self, caller: str, task_type: str, allowed: str) -> None:
        """``allowed``: the patterns of the types that the caller may submit."""
        super().__init__(
            f"{caller!r} may submit task types like {allowed}, and {fit(task_type, 80)!r} is none: "
            "use another token, or have task_types changed on the caller's line of the tokens file"
        )
        self.caller = caller
        self.task_type = task_type
        self.allowed = allowed

    @property
    def metadata(self) -> Mapping[str, str]:
        facts = {"task_type": self.task_type, "allowed_task_types": self.allowed}
        return {"caller": self.caller, **facts}


class QueueNotAllowed(PermissionDenied):
    """The caller's tasks must be in other queues."""

    def __init__(self, caller: str, queue: str, allowed: str) -> None:
        """``allowed``: the patterns of the queues that the caller may submit to."""
        super().__init__(
            f"{caller!r} may submit to queues like {allowed}, and {fit(queue, 80)!r} is none: "
            "use another token, or have queues changed on the caller's line of the tokens file"
        )
        self.caller = caller
        self.queue = queue
        self.allowed = allowed

    @property
    def metadata(self) -> Mapping[str, str]:
        return {"caller": self.caller, "queue": self.queue, "allowed_queues": self.allowed}


class ShuttingDown(RequestError):
    """The server is going."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down; call again, another one may answer")


MAX_VIOLATIONS = 32
"""A request can have a million wrong fields; nobody reads more than a few."""

MAX_FIELD_LENGTH = 120
MAX_DESCRIPTION_LENGTH = 400
"""In characters: names and values can be as long as a request."""


class Violations:
    """What is wrong with one request so far."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def __bool__(self) -> bool:
        """Whether anything was noted."""
        return bool(self._found)

    def copy(self) -> Violations:
        """The same violations, to which others can be added apart."""
        copied = Violations()
        copied._found = list(self._found)
        return copied

    def add(
        self,
        field: str,
        description: str,
        reason: ViolationReason = ViolationReason.FIELD_INVALID,
    ) -> None:
        """Note a wrong field."""
        self.extend([Violation(field, description, reason)])

    def extend(self, violations: Iterable[Violation]) -> None:
        """Note wrong fields, as many as anyone would read."""
        for violation in violations:
            if len(self._found) >= MAX_VIOLATIONS:
                return
            self._found.append(
                replace(
                    violation,
                    field=fit(violation.field, MAX_FIELD_LENGTH),
                    description=fit(violation.description, MAX_DESCRIPTION_LENGTH),
                )
            )

    def raise_if_any(self) -> None:
        """End the request if anything was wrong.

        Raises:
            InvalidRequest: with everything that was noted.
        """
        if self._found:
            raise InvalidRequest(self._found)

    def has(self, reason: ViolationReason) -> bool:
        """Whether a field was noted for this reason."""
        return any(violation.reason is reason for violation in self._found)
