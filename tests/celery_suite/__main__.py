"""`make celery-suite`: runs all of it on every way to keep results, and shows what differs."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from celery_suite.differences import BY_CHANCE, DIFFERENCES
from celery_suite.suite import FILES, OURS, STOCK, Outcomes, Way, run

AT_ONCE = 2


def main(tests: list[str]) -> int:
    """Run the tests, by default all; 1 if what differs is not what is known to differ."""
    ways = (*STOCK, *OURS)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        folders = [Path(folder, str(number)) for number in range(len(ways))]
        for one in folders:
            one.mkdir()
        found = list(pool.map(run, ways, folders, [tests or FILES] * len(ways)))
    outcomes = {way.name: found for way, found in zip(ways, found, strict=True)}
    _show_counts(outcomes)
    return max(_show_differences(outcomes, way) for way in OURS)


def _show_counts(outcomes: dict[str, Outcomes]) -> None:
    table = Table("", "passed", "failed", "skipped")
    for name, found in outcomes.items():
        count = Counter(one.outcome for one in found.values())
        table.add_row(name, *(str(count[word]) for word in ("passed", "failed", "skipped")))
    Console(width=120).print(table)


def _show_differences(outcomes: dict[str, Outcomes], way: Way) -> int:
    """What passes on stock with one of its backends, and not this way."""
    stock = {
        test
        for one in STOCK
        for test, outcome in outcomes[one.name].items()
        if outcome.outcome == "passed"
    }
    found, known = outcomes[way.name], DIFFERENCES[way.name]
    differ = {test for test in stock if test not in found or found[test].outcome == "failed"}
    table = Table("", "test", "why", title=f"{way.name}: passes on stock, fails here", width=160)
    for test in sorted(differ):
        why = found[test].why if test in found else "did not run"
        table.add_row("known" if test in known else "NEW", test, known.get(test, why))
    passed = {test for test in known if test in found and found[test].outcome == "passed"}
    stale = passed - BY_CHANCE
    for test in sorted(stale):
        table.add_row("GONE", test, "passes now: take it off the list")
    Console(width=160).print(table)
    return int(bool(stale or differ - set(known)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
