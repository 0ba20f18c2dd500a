"""Tables: within a terminal's width there, whole lines everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from taskgate.cli.ids import short_ids
from taskgate.cli.output.terminal import console, one_line, safe, safe_text, write

Cell = Text | str
Rows = list[list[Text]]


class Cut(Protocol):
    """Makes a text so many cells wide at most."""

    def __call__(self, text: str, width: int) -> str: ...


_GAP = 2
_ANY_WIDTH = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and how it gets narrower where the terminal is."""

    heading: str
    cut: Cut | None = None
    """``cut_end`` or ``cut_middle``; None keeps every cell whole."""
    least: int = 8
    """The width down to which it is cut."""
    is_id: bool = False
    """Ids: shown as short ones when there is too little room."""
    optional: bool = False
    """Left out when nothing else helps; the last one first."""


def print_table(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, heading: bool = True
) -> None:
    """Write a table to standard output. In a pipe every row is a line with all of its text."""
    out = console()
    if out.is_terminal:
        out.print(table_within(out.width, columns, rows, heading=heading))
        return
    out.width = _ANY_WIDTH
    with out.capture() as written:
        out.print(table_within(None, columns, rows, heading=heading))
    write("\n".join(line.rstrip() for line in written.get().splitlines()))


def table_within(
    width: int | None,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    heading: bool = True,
) -> Table:
    """The table, so many cells wide at most as far as its columns allow; None: with all it has."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if width is not None:
        columns, cells = _fit(list(columns), cells, width)
    table = Table(box=None, pad_edge=False, show_header=heading, header_style="dim")
    for column in columns:
        table.add_column(column.heading, no_wrap=True)
    for row in cells:
        table.add_row(*row)
    return table


def cut_end(text: str, width: int) -> str:
    """The beginning of the text, in at most so many cells."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def cut_middle(text: str, width: int) -> str:
    """The text without its middle, in at most so many cells: ``reports.…monthly``."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    head = width - 1 - tail
    return f"{set_cell_size(text, head)}…{set_cell_size(text[::-1], tail)[::-1]}"


def _cell(cell: Cell) -> Text:
    text = Text(safe(one_line(cell))) if isinstance(cell, str) else safe_text(cell)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _fit(columns: list[Column], rows: Rows, width: int) -> tuple[list[Column], Rows]:
    """Columns and cells that fit, or that are as narrow as they can be."""
    while True:
        over = _width(columns, rows) - width
        if over <= 0:
            return columns, rows
        narrower = _narrower(columns, rows, over)
        if _width(columns, narrower) <= width:
            return columns, narrower
        optional = [at for at, column in enumerate(columns) if column.optional]
        if not optional:
            return columns, narrower
        at = optional[-1]
        columns = columns[:at] + columns[at + 1 :]
        rows = [row[:at] + row[at + 1 :] for row in rows]


def _narrower(columns: list[Column], rows: Rows, over: int) -> Rows:
    """The cells, cut so that a line gets shorter by ``over``, as far as the columns allow."""
    rows = [list(row) for row in rows]
    for at, column in sorted(enumerate(columns), key=lambda item: _order(item[1])):
        before = _column_width(column, rows, at)
        if over <= 0 or (column.cut is None and not column.is_id):
            continue
        if column.is_id:
            short = short_ids({row[at].plain for row in rows})
            _replace(rows, at, short.__getitem__)
        elif column.cut:
            width = max(before - over, column.least, len(column.heading))
            _replace(rows, at, partial(column.cut, width=width))
        over -= before - _column_width(column, rows, at)
    return rows


def _order(column: Column) -> int:
    return 0 if column.cut is cut_end else 1 if column.is_id else 2


def _replace(rows: Rows, at: int, change: Callable[[str], str]) -> None:
    for row in rows:
        row[at] = Text(change(row[at].plain), style=row[at].style, no_wrap=True)


def _width(columns: list[Column], rows: Rows) -> int:
    widths = [_column_width(column, rows, at) for at, column in enumerate(columns)]
    return sum(widths) + _GAP * (len(widths) - 1)


def _column_width(column: Column, rows: Rows, at: int) -> int:
    return max([len(column.heading), *(row[at].cell_len for row in rows)])
