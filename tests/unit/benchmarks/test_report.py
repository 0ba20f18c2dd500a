from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

from bench import plots, rates, report
from bench.measurements import Measured, Results, Row, in_turns
from bench.subjects import costs

NO_OP = Row(
    "no-op tasks",
    "tasks a second",
    {"taskgate": [300.0, 330.0, 310.0], "stock": [100.0, 100.0, 100.0], "fast": [990, 1000, 2000]},
)
ALONE = Row("Submit alone", "ms, p50", {"taskgate": [4.0], "other": [2.0]}, less_is_better=True)
COSTS = Row("a Submit", "µs a task", {"server": [812.0], "database": [90.0]}, compared=False)


def results(*rows: Row, subject: str = "tasks", problem: str = "") -> Results:
    measured = Measured(subject, "abc1234", "2026-01-01 00:00 UTC", 3, rows, problem)
    return Results({"processor": "2 x fast"}, {subject: measured})


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - we have just written it


def test_a_ratio_compares_what_ran_in_the_same_round() -> None:
    ratio = NO_OP.ratios()["stock"]
    assert (ratio.median, ratio.lowest, ratio.highest) == (3.1, 3.0, 3.3)
    assert not NO_OP.is_behind("stock")
    assert NO_OP.is_behind("fast")
    assert ALONE.is_behind("other")


def test_the_document_says_all_of_it(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "benchmarks.md"
    report.write(results(NO_OP, ALONE, COSTS, problem="TimeoutError: too slow"), document)
    text = document.read_text()
    assert "| no-op tasks | tasks a second | 310 (300 to 330) | stock | 100 |" in text
    assert "| **3.10 (3.00 to 3.30)** |" in text
    assert "- no-op tasks: fast (" in text
    assert "- Submit alone: other (2.00 of its ms, p50)" in text
    assert "| 812 | 90.0 |" in text
    assert "TimeoutError: too slow" in text
    assert "- processor: 2 x fast" in text
    assert "abc1234" in text


def test_every_plot_is_there_and_is_svg(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    report.write(results(NO_OP, ALONE, COSTS), document)
    lines = document.read_text().splitlines()
    linked = [line.rpartition("(")[2].rstrip(")") for line in lines if line.startswith("![")]
    assert len(linked) == 2
    for name in linked:
        assert parsed((tmp_path / name).read_text()).tag.endswith("svg")


def test_names_cannot_break_a_plot() -> None:
    row = Row("a < b & c", "ms", {"<script>": [0.0]})
    assert "<script>" not in plots.bars(row)
    parsed(plots.bars(row))


def test_a_later_run_keeps_what_it_does_not_measure(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    report.write(results(NO_OP), document)
    earlier = report.read(document)
    later = results(ALONE, subject="submit-alone")
    report.write(Results(later.machine, {**earlier.subjects, **later.subjects}), document)
    assert "no-op tasks" in document.read_text()
    assert report.read(document).subjects["tasks"].rows[0].values == NO_OP.values


def test_contestants_take_turns() -> None:
    turns: list[str] = []

    def measured(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    values = in_turns({name: partial(measured, name) for name in "ab"}, 2, warm_up=True)
    assert turns == ["a", "b"] * 3
    assert values == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_nothing_measured_is_a_document_too(tmp_path: Path) -> None:
    report.write(Results({}, {}), tmp_path / "benchmarks.md")
    assert "make bench" in (tmp_path / "benchmarks.md").read_text()


def test_a_first_run_finds_nothing(tmp_path: Path) -> None:
    assert not report.read(tmp_path / "missing.md").subjects


def test_costs_are_told_at_large_rates() -> None:
    cpu = {"server": [730.0], "worker": [1_300.0], "database": [500.0], "broker": [100.0]}
    counts = {"transactions that write": [0.25]}
    sizes = {"write-ahead log": [2_000.0], "to the broker": [500.0]}
    units = {"µs of CPU a task": cpu, "times a task": counts, "bytes a task": sizes}
    rows = [
        Row(title, unit, values, compared=False)
        for title in (costs.SUBMIT, costs.BATCHED, *costs.RUNNING.values())
        for unit, values in units.items()
    ]
    assert list(rates.table(rows)) == []
    rows.append(Row(costs.ON_DISK, "bytes", {"record": [300.0], "indexes": [900.0]}))
    lines = list(rates.table(rows))
    assert "| server, Submit | 730 µs | 0.73 cores | 7.30 cores | 73.0 cores |" in lines
    writes = "| transactions that write | 0.50 | 500 a second | 5,000 a second | 50,000 a second |"
    assert writes in lines
    assert "| the record | 1,200 bytes | 104 GB a day | 1,037 GB a day | 10,368 GB a day |" in lines
