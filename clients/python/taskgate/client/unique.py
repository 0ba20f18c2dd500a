"""What keeps other tasks away, where a submission says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from taskgate.client.values import from_duration, to_duration
from taskgate.v1 import task_pb2


@dataclass(frozen=True, slots=True)
class Unique:
    """Keeps tasks of the same type and with the same key away while one of them holds the key."""

    key: str
    """At most 255 characters."""
    until: Literal["START", "END"] = "END"
    """Until its first attempt starts, or until it has ended, retries included."""
    ttl: float | None = None
    """Seconds that it holds the key beyond its end."""
    answer_holder: bool = False
    """While another task holds the key, that one is the answer; otherwise UniqueKeyHeld is."""

    @classmethod
    def of(cls, message: task_pb2.Unique) -> Self:
        """What a message says."""
        return cls(
            key=message.key,
            until="START" if message.until == task_pb2.UNIQUE_UNTIL_START else "END",
            ttl=from_duration(message.ttl) if message.HasField("ttl") else None,
        )

    def message(self) -> task_pb2.Unique:
        """The same as a message."""
        return task_pb2.Unique(
            key=self.key,
            until=task_pb2.UniqueUntil.Value(f"UNIQUE_UNTIL_{self.until}"),
            ttl=to_duration(self.ttl),
            on_conflict=(
                task_pb2.UNIQUE_CONFLICT_ANSWER_HOLDER
                if self.answer_holder
                else task_pb2.UNIQUE_CONFLICT_REFUSE
            ),
        )
