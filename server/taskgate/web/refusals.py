"""Errors as pages say them: the gRPC meaning of each, in HTTP's words."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc

from taskgate.server.api.statuses import meaning_of
from taskgate.server.errors import InvalidRequest
from taskgate.server.text import fit, printable
from taskgate.web.security import Refused

logger = logging.getLogger(__name__)

_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: (400, "Something is wrong with the request"),
    grpc.StatusCode.NOT_FOUND: (404, "There is no such task"),
    grpc.StatusCode.FAILED_PRECONDITION: (409, "That cannot be done now"),
    grpc.StatusCode.ALREADY_EXISTS: (409, "That was done before"),
    grpc.StatusCode.PERMISSION_DENIED: (403, "You may not do that"),
    grpc.StatusCode.UNAUTHENTICATED: (401, "Log in"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (429, "There is no room for that now"),
    grpc.StatusCode.UNAVAILABLE: (503, "taskgate cannot answer now"),
}
_MAX_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to say instead of what was asked for."""

    status: int
    title: str
    message: str
    reason: str = ""
    violations: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with fields, by their names in the request."""

    @property
    def is_passing(self) -> bool:
        """Whether the same may go well a little later."""
        return self.status == 503


def refusal_of(error: Exception, path: str) -> Refusal:
    """What the error means to the viewer; one of the server's own is logged as an incident."""
    if isinstance(error, Refused):
        return Refusal(error.status, "That was refused", str(error))
    meaning = meaning_of(error)
    if meaning is None:
        incident = uuid.uuid4().hex[:12]
        logger.error("incident %s: %s failed", incident, path, exc_info=error)
        return Refusal(500, "The server failed", f"Its log has the incident {incident}.")
    status, title = _HTTP.get(meaning.code, (500, "That was refused"))
    violations: dict[str, str] = {}
    if isinstance(error, InvalidRequest):
        for one in error.violations:
            violations.setdefault(printable(one.field), printable(one.description))
    message = fit(printable(str(error)), _MAX_MESSAGE)
    return Refusal(status, title, message, str(meaning.reason), violations)
