"""Bars that show how far tasks are, in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TimeElapsedColumn
from rich.progress import Task as Bar
from rich.table import Column
from rich.text import Text

from taskgate.cli.output.task import amount_text, state_text
from taskgate.cli.output.terminal import one_line, safe_text
from taskgate.client import Task

_BESIDE_NAME = 30
"""Cells of spinner, state, amount and time."""
_NARROW = 60
"""A terminal that has no room for more than those and a name."""
_WIDTH_WITH_MESSAGES = 100


class TextColumn(ProgressColumn):
    """A text of the bar's own, never read as markup: it can come from the task."""

    def __init__(self, field: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._field = field

    def render(self, task: Bar) -> Text:
        return safe_text(task.fields[self._field])


def bars(console: Console, *first: ProgressColumn) -> Progress:
    """Bars for what ``bar_fields`` says of tasks, behind other columns; none outside a terminal.

    A narrow terminal has shorter bars or none, and no messages: states stay whole.
    """
    bar_width = _bar_width(console)
    columns = [
        SpinnerColumn(),
        *first,
        TextColumn("state"),
        *([BarColumn(bar_width)] if bar_width else []),
        TextColumn("amount"),
        TimeElapsedColumn(),
        *([TextColumn("message")] if console.width >= _WIDTH_WITH_MESSAGES else []),
    ]
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def name_width(console: Console) -> int:
    """How wide the column before the bars may be."""
    return console.width - _BESIDE_NAME - _bar_width(console)


def _bar_width(console: Console) -> int:
    width = min(30, (console.width - _NARROW) // 2)
    return width if width > 3 else 0


def bar_fields(task: Task) -> dict[str, Any]:
    """What the bar shows of a task; without a total it only moves."""
    progress = task.progress
    return {
        "completed": progress.current if progress else 0,
        "total": progress.total if progress else None,
        "state": state_text(task.state),
        "amount": Text(amount_text(progress) if progress else ""),
        "message": Text(one_line(progress.message) if progress else ""),
    }
