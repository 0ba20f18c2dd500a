from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from taskgate.cli.ids import short_ids
from taskgate.cli.output.tables import (
    Cell,
    Column,
    cut_end,
    cut_middle,
    print_table,
)

COLUMNS = (Column("ID", is_id=True), Column("WHAT", cut_middle), Column("LABELS", cut_end))
LIST = (
    *(Column("ID", is_id=True), Column("TYPE", cut_middle, least=12), Column("STATE")),
    *(Column("AGE"), Column("TOOK", optional=True), Column("LABELS", cut_end, optional=True)),
)
IDS = [f"0199f3c2-1a2b-7{n:03x}-8000-{n:012x}" for n in range(20)]


@pytest.fixture
def lines(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Sequence[str]:
    """A list of tasks on a terminal of the width that the test is given."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": str(request.param)}.items():
        monkeypatch.setenv(name, value)
    rows: list[tuple[Cell, ...]] = [
        (task_id, f"reports.of.customers.monthly_{n}", "SUCCEEDED", "4d02h", "10.0s", "team=web")
        for n, task_id in enumerate(IDS)
    ]
    print_table(LIST, rows)
    return capsys.readouterr().out.splitlines()


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [("1", Text("x" * 300), "[bold]"), ("22", "y", "")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["ID", "WHAT", "LABELS"],
        ["1", "x" * 300, "[bold]"],
        ["22", "y"],
    ]
    assert not any(line.endswith(" ") for line in lines)


def test_a_cell_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS[:2], [("1", "two\nlines \x1b[31m")])
    assert capsys.readouterr().out.splitlines()[1] == "1   two lines \\x1b[31m"


@pytest.mark.parametrize(("lines", "width"), [(60, 60), (80, 80)], indirect=["lines"])
def test_a_narrow_terminal_shows_what_tells_tasks_apart(lines: Sequence[str], width: int) -> None:
    rows = [line.split() for line in lines[1:]]
    assert all(len(line.rstrip()) <= width for line in lines)
    assert all(task_id.startswith(row[0]) for task_id, row in zip(IDS, rows, strict=True))
    assert len({row[0] for row in rows}) == len(IDS)
    assert {row[2] for row in rows} == {"SUCCEEDED"}
    assert all("…" in row[1] and row[1].endswith(f"y_{n}") for n, row in enumerate(rows))


@pytest.mark.parametrize("lines", [140], indirect=True)
def test_a_wide_terminal_shows_all(lines: Sequence[str]) -> None:
    assert [line.split()[0] for line in lines[1:]] == IDS
    assert "…" not in "".join(lines)


@given(st.text(), st.integers(2, 40))
def test_a_cut_text_fits(text: str, width: int) -> None:
    assert cell_len(cut_end(text, width)) <= width
    assert cell_len(cut_middle(text, width)) <= width


@given(st.sets(st.uuids().map(str) | st.text(min_size=1, max_size=20), max_size=30))
def test_short_ids_tell_ids_apart(ids: set[str]) -> None:
    short = short_ids(ids)
    assert short.keys() == ids
    assert len(set(short.values())) == len(ids)
    assert all(whole.startswith(beginning) for whole, beginning in short.items())
