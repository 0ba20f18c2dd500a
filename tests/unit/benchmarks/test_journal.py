from __future__ import annotations

from pathlib import Path

import pytest

from bench.journal import Journal, WrongRun


def write(journal: Journal, *lines: tuple[int, int]) -> None:
    journal.path.write_text("".join(f"{number:08d} {time:020d}\n" for number, time in lines))


def test_tasks_come_in_the_order_of_their_starts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert len(journal) == 0
    write(journal, (1, 50), (0, 20))
    assert len(journal) == 2
    assert list(journal.starts().items()) == [(0, 20), (1, 50)]
    journal.check(2)


@pytest.mark.parametrize("lines", [[(0, 1)], [(0, 1), (0, 2), (1, 3)]], ids=["lost", "run twice"])
def test_a_run_that_lost_or_doubled_a_task_is_none(
    tmp_path: Path, lines: list[tuple[int, int]]
) -> None:
    journal = Journal(tmp_path / "journal")
    write(journal, *lines)
    with pytest.raises(WrongRun, match="of 2 tasks 1 did not run once"):
        journal.check(2)
