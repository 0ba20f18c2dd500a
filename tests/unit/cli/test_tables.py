from __future__ import annotations

import pytest
from rich.text import Text

from taskgate.cli.output.tables import print_table


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID", "WHAT", "LABELS"), [("1", Text("x" * 300), "[bold]"), ("22", "y", "")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["ID", "WHAT", "LABELS"],
        ["1", "x" * 300, "[bold]"],
        ["22", "y"],
    ]
    assert not any(line.endswith(" ") for line in lines)


def test_a_cell_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID", "WHAT"), [("1", "two\nlines \x1b[31m")])
    assert capsys.readouterr().out.splitlines()[1] == "1   two lines \\x1b[31m"
