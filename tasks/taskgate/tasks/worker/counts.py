"""What a worker's main process counts: nobody else knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """Since the worker's start. Each number is changed by one thread only."""

    claims: int = 0
    """Attempts that were won."""
    lost_claims: int = 0
    """Attempts that were not: others had them, or they were aborted or expired."""
    claim_statements: int = 0
    ends: int = 0
    """Ends that pool processes and threads had recorded here."""
    end_statements: int = 0

    def as_mapping(self) -> Mapping[str, int]:
        """By their names."""
        return asdict(self)
