"""Collecting what is wrong with a request, so that it is all told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from taskgate.server.api.errors import Flaw, InvalidRequest, Violation
from taskgate.server.requests.text import fit

MOST_VIOLATIONS = 32
"""A request can have a million wrong fields; nobody reads more than a few."""

LONGEST_FIELD = 120
LONGEST_DESCRIPTION = 400
"""In characters: names and values can be as long as a request."""


class Violations:
    """What is wrong with one request so far."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str, flaw: Flaw = Flaw.FIELD_INVALID) -> None:
        """Note a wrong field."""
        self.extend([Violation(field, description, flaw)])

    def extend(self, violations: Iterable[Violation]) -> None:
        """Note wrong fields, as many as anyone would read."""
        for violation in violations:
            if len(self._found) >= MOST_VIOLATIONS:
                return
            self._found.append(
                replace(
                    violation,
                    field=fit(violation.field, LONGEST_FIELD),
                    description=fit(violation.description, LONGEST_DESCRIPTION),
                )
            )

    def raise_if_any(self) -> None:
        """End the request if anything was wrong.

        Raises:
            InvalidRequest: with everything that was noted.
        """
        if self._found:
            raise InvalidRequest(self._found)

    def has(self, flaw: Flaw) -> bool:
        """Whether such a flaw was noted."""
        return any(violation.flaw is flaw for violation in self._found)
