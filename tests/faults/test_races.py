"""At least ten thousand random races on PostgreSQL, of which the database keeps the minutes."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.history import written_history
from support.races import run_races
from support.records import upgraded

RACES = 10_000
AT_ONCE = 4
"""Races that run side by side, each over a task of its own."""


@pytest.mark.timeout(900)
def test_random_races(postgres_url: str) -> None:
    first = random.randrange(10**9)
    print("seed", first)
    database = upgraded(postgres_url)
    with written_history(database), ThreadPoolExecutor(AT_ONCE) as pool:
        share = RACES // AT_ONCE
        starts = [first + number * share for number in range(AT_ONCE)]
        running = [pool.submit(run_races, database, range(s, s + share)) for s in starts]
        for races in running:
            races.result()
    database.close()
