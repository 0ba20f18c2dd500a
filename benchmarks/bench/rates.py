"""What the costs of a task make of a machine at a thousand tasks a second, and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.measurements import Row
from bench.meter import BYTES, COUNTS, CPU
from bench.numbers import short
from bench.subjects import costs

RATES = (1_000, 10_000, 100_000)
_DAY = 24 * 60 * 60

_Each = Callable[[str, str, str], float]
"""The measured value: of a row's title, of its unit, of a name in it."""


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a table; none if not everything was measured."""
    found = {
        (row.title, row.unit, name): row.spread(name).median for row in rows for name in row.values
    }

    def each(title: str, unit: str, name: str) -> float:
        return found[title, f"{unit} a task", name]

    try:
        lines = [_line(*one) for one in _demands(each, found)]
    except KeyError:
        return
    yield "| | a task | " + " | ".join(f"{rate:,} tasks a second" for rate in RATES) + " |"
    yield "|---|---|" + "---|" * len(RATES)
    yield from lines


def _demands(
    each: _Each, found: dict[tuple[str, str, str], float]
) -> Iterator[tuple[str, str, float, str, float]]:
    """Name; unit and value of a task; unit and factor of a second."""
    submit, batch, threads, prefork = costs.SUBMIT, costs.BATCHED, *costs.RUNNING.values()
    cpu, cores = "µs", ("cores", 1e-6)
    yield "server, Submit", cpu, each(submit, CPU, "server"), *cores
    yield "server, batches", cpu, each(batch, CPU, "server"), *cores
    yield "worker, threads", cpu, each(threads, CPU, "worker"), *cores
    yield "worker, prefork", cpu, each(prefork, CPU, "worker"), *cores
    for part in ("database", "broker"):
        yield part, cpu, each(submit, CPU, part) + each(threads, CPU, part), *cores
    writes = "transactions that write"
    yield writes, "", each(submit, COUNTS, writes) + each(threads, COUNTS, writes), "a second", 1
    log = "write-ahead log"
    yield log, "bytes", each(submit, BYTES, log) + each(threads, BYTES, log), "MB/s", 1e-6
    to = "to the broker"
    yield to, "bytes", each(submit, BYTES, to) + each(threads, BYTES, to), "MB/s", 1e-6
    size = sum(found[costs.ON_DISK, "bytes", name] for name in ("record", "indexes"))
    yield "the record", "bytes", size, "GB a day", _DAY * 1e-9


def _line(name: str, unit: str, value: float, unit_of_all: str, factor: float) -> str:
    cells = [name, f"{short(value)} {unit}".rstrip()]
    cells += [f"{short(value * rate * factor)} {unit_of_all}" for rate in RATES]
    return "| " + " | ".join(cells) + " |"
