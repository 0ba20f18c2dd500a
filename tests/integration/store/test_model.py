"""Whatever happens to a record, and whichever write fails on the way, it is as the model says."""

from __future__ import annotations

import pytest

from support import machine
from support.records import upgraded

EXAMPLES = {"sqlite": 200, "postgresql": 100}


@pytest.mark.timeout(900)
def test_the_same_histories_each_time(database_url: str) -> None:
    database = upgraded(database_url)
    machine.run(database, EXAMPLES[database.engine.dialect.name], same=True)
    database.close()
