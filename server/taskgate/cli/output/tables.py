"""Tables: within a terminal's width there, whole lines everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskgate.cli.output.text import clean

_ANY_WIDTH = 10_000

Cell = Text | str


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, heading: bool = True
) -> None:
    """Write a table to standard output; the first column is never cut.

    In a pipe every row is a line with all of its text.
    """
    table = Table(box=None, pad_edge=False, show_header=heading, header_style="dim")
    for number, name in enumerate(headings):
        table.add_column(name, no_wrap=number == 0)
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = _ANY_WIDTH
    with console.capture() as written:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in written.get().splitlines()))


def _cell(cell: Cell) -> Text:
    text = Text(clean(cell).replace("\n", " ")) if isinstance(cell, str) else cell
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
