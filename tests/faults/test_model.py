"""Thousands of histories of a record, others each time, on both databases."""

from __future__ import annotations

import pytest

from support import machine
from support.records import upgraded

EXAMPLES = 3_000


@pytest.mark.timeout(7200)
def test_other_histories_each_time(database_url: str) -> None:
    database = upgraded(database_url)
    machine.run(database, EXAMPLES, same=False)
    database.close()
