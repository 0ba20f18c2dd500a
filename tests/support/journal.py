"""What the tasks of `support.journal_tasks` wrote down, outside the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: what an attempt of a task did, and when, in seconds since the epoch."""

    task_id: str
    attempt: int
    word: str
    time: float


class Journal:
    """A file to which every process of a deployment appends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """All that was written so far, in its order."""
        if not self.path.exists():
            return []
        lines = (line.split() for line in self.path.read_text().splitlines())
        return [Entry(id_, int(attempt), word, float(time)) for id_, attempt, word, time in lines]

    def of(self, task_id: str) -> list[Entry]:
        """What one task wrote."""
        return [entry for entry in self.entries() if entry.task_id == task_id]

    def words(self, task_id: str) -> list[str]:
        """What one task wrote, without attempts and times."""
        return [entry.word for entry in self.of(task_id)]

    def count(self, word: str) -> Counter[str]:
        """How often each task wrote the word, by id."""
        return Counter(entry.task_id for entry in self.entries() if entry.word == word)
