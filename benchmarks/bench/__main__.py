"""The command behind ``make bench`` and ``make bench-quick``."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.logging import RichHandler

from bench import machine, report
from bench.environment import QUICK, ROOT, WHOLE, missing
from bench.measurements import Results, Row
from bench.numbers import with_range
from bench.run import run
from bench.subjects import SUBJECTS, Subject

DOCUMENT = ROOT / "docs" / "benchmarks.md"

_console = Console(highlight=False)


def _chosen(_context: click.Context, _parameter: click.Parameter, names: str) -> list[Subject]:
    by_name = {subject.name: subject for subject in SUBJECTS}
    unknown = [name for name in names.split() if name not in by_name]
    if unknown:
        raise click.BadParameter(f"{' '.join(unknown)}: choose from {' '.join(by_name)}")
    return [by_name[name] for name in names.split()]


@click.command()
@click.option("--rows", callback=_chosen, default="", help="Subjects to measure; all if empty.")
@click.option("--quick", is_flag=True, help="Little of each, once, and write no document.")
@click.option("--rounds", type=click.IntRange(1), help="How often each contestant is measured.")
@click.option("--minutes", type=float, help="Begin nothing more once so many are over.")
@click.option("--document", type=click.Path(path_type=Path), default=DOCUMENT, show_default=True)
def main(
    rows: list[Subject], *, quick: bool, rounds: int | None, minutes: float | None, document: Path
) -> None:
    """Measure taskgate beside what people use instead."""
    logging.basicConfig(level="WARNING", format="%(message)s", handlers=[RichHandler()])
    logging.getLogger("bench").setLevel("INFO")
    if lacking := missing():
        raise click.ClickException(f"missing: {', '.join(lacking)}; run `make bench`")
    subjects = rows or [subject for subject in SUBJECTS if subject.quick or not quick]
    scale = QUICK if quick else WHOLE
    scale = replace(scale, rounds=rounds or scale.rounds)
    results = Results(machine.describe(), dict(report.read(document).subjects))
    problems = []
    for found in run(subjects, scale, minutes=minutes, report=_print):
        results = Results(results.machine, {**results.subjects, found.subject: found})
        problems += [found.subject] * bool(found.problem)
        if not quick:
            report.write(results, document)
    if problems:
        sys.exit(f"not measured whole: {' '.join(problems)}")


def _print(subject: Subject, row: Row) -> None:
    _console.print(f"[bold]{subject.name}[/] {row.title} ({row.unit})")
    ratios = row.ratios()
    for name in row.contestants:
        ratio = f"  ratio {with_range(ratios[name])}" if name in ratios else ""
        _console.print(f"    {name}: {with_range(row.spread(name))}{ratio}")


if __name__ == "__main__":
    main()
