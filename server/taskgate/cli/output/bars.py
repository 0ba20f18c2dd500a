"""Bars that show how far tasks are, in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TimeElapsedColumn
from rich.progress import Task as Bar
from rich.text import Text

from taskgate.cli.output.task import amount_text, state_text
from taskgate.cli.output.text import clean
from taskgate.client import Task


class TextColumn(ProgressColumn):
    """A text of the bar's own, never read as markup: it can come from the task."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self._field = field

    def render(self, task: Bar) -> Text:
        text: Text = task.fields[self._field]
        return text


def bars(console: Console, *first: ProgressColumn) -> Progress:
    """Bars for what ``bar_fields`` says of tasks, behind other columns; none outside a terminal."""
    return Progress(
        SpinnerColumn(),
        *first,
        TextColumn("state"),
        BarColumn(bar_width=30),
        TextColumn("amount"),
        TimeElapsedColumn(),
        TextColumn("message"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def bar_fields(task: Task) -> dict[str, Any]:
    """What the bar shows of a task; without a total it only moves."""
    progress = task.progress
    return {
        "completed": progress.current if progress else 0,
        "total": progress.total if progress else None,
        "state": state_text(task.state),
        "amount": Text(amount_text(progress) if progress else ""),
        "message": Text(clean(progress.message) if progress else ""),
    }
