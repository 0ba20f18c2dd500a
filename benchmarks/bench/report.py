"""Writes ``docs/benchmarks.md``: tables, ratios, plots, the machine, and how to do it again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench import plots, rates
from bench.measurements import Measured, Results, Row
from bench.numbers import with_range
from bench.subjects import SUBJECTS, Subject

DATA = "measurements.json"
PLOTS = "benchmarks"
"""The folder beside the document with plots and data."""

_HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. It measures taskgate and what people use instead on one
machine in one run, in turns: each round measures every contestant once, and a ratio compares what
ran in the same round. Only the ratios mean much; the numbers are of this machine.

PostgreSQL calls fsync, Redis and RabbitMQ are as they come. After each run it is checked that every
task ran once and that its end is on record, where there is one; a run that lost one is no
measurement. Each figure is the median of its rounds, with the lowest and the highest in brackets.
"""

_REPEAT = """\
## Do it again

```
make bench                                    all, in half an hour
make bench ROWS="submit get" MINUTES=10       some; the others stay as they were measured before
make bench-quick                              a first impression in three minutes, on the screen
```

It needs Debian, or h2load, PostgreSQL, Redis and RabbitMQ from elsewhere, and nothing else that
works on the machine meanwhile. What taskgate is compared with is installed into `.venv-bench/`.
"""


def write(results: Results, document: Path) -> None:
    """Write the document, and beside it a folder with the plots and the measurements."""
    folder = document.parent / PLOTS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    results.write(folder / DATA)
    measured = [
        (one, results.subjects[one.name]) for one in SUBJECTS if one.name in results.subjects
    ]
    for subject, found in measured:
        for row in found.rows:
            if row.compared:
                (folder / plot_name(subject, row)).write_text(plots.bars(row), encoding="utf-8")
    document.write_text(text(results, measured), encoding="utf-8")


def read(document: Path) -> Results:
    """What was measured when the document was written."""
    return Results.read(document.parent / PLOTS / DATA)


def text(results: Results, measured: Sequence[tuple[Subject, Measured]]) -> str:
    """The document."""
    parts = [
        _HEAD,
        "\n".join(_summary(measured)),
        "\n".join(_behind(measured)),
        *("\n".join(_section(subject, found)) for subject, found in measured),
        "\n".join(_machine(results)),
        _REPEAT,
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def plot_name(subject: Subject, row: Row) -> str:
    """The file of a row's plot."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{row.title} {row.unit}".lower()).strip("-")
    return f"{subject.name}-{words}.svg"


def _summary(measured: Sequence[tuple[Subject, Measured]]) -> Iterator[str]:
    yield "## In short\n"
    yield "| what | unit | taskgate | other | its value | ratio |"
    yield "|---|---|---|---|---|---|"
    for _, row in _compared(measured):
        first, *_ = row.contestants
        for other, ratio in row.ratios().items():
            mark = " ◂" if row.is_behind(other) else ""
            yield _line(
                row.title,
                row.unit,
                with_range(row.spread(first)),
                other,
                with_range(row.spread(other)),
                f"**{with_range(ratio)}**{mark}",
            )
    yield "\n◂ the other one does better. Of times, less is better."


def _behind(measured: Sequence[tuple[Subject, Measured]]) -> Iterator[str]:
    found = [
        f"- {row.title}: {other} ({with_range(row.ratios()[other])} of its {row.unit})"
        for _, row in _compared(measured)
        for other in row.ratios()
        if row.is_behind(other)
    ]
    if found:
        yield "## Where others are ahead\n"
        yield from found


def _compared(measured: Iterable[tuple[Subject, Measured]]) -> Iterator[tuple[Subject, Row]]:
    for subject, found in measured:
        for row in found.rows:
            if len(row.contestants) > 1 and row.compared:
                yield subject, row


def _section(subject: Subject, found: Measured) -> Iterator[str]:
    yield f"## {subject.title}\n"
    rounds = f"{found.rounds} round" + ("s" if found.rounds > 1 else "")
    yield f"{subject.about} ({found.date}, commit {found.commit}, {rounds}.)\n"
    if found.problem:
        yield f"Not all of it was measured: `{found.problem}`\n"
    for row in found.rows:
        yield from _plotted(subject, row) if row.compared else _listed(row)
    yield from rates.table(found.rows)


def _plotted(subject: Subject, row: Row) -> Iterator[str]:
    values = ", ".join(f"{name} {with_range(row.spread(name))}" for name in row.contestants)
    yield f"![{row.title}: {values}]({PLOTS}/{plot_name(subject, row)})\n"


def _listed(row: Row) -> Iterator[str]:
    yield f"{row.title}, {row.unit}:\n"
    yield _line(*row.contestants)
    yield "|" + "---|" * len(row.contestants)
    yield _line(*(with_range(row.spread(name)) for name in row.contestants)) + "\n"


def _machine(results: Results) -> Iterator[str]:
    yield "## The machine\n"
    for name, value in results.machine.items():
        yield f"- {name}: {value}"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
