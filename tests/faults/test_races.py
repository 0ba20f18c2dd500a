"""At least ten thousand random races on PostgreSQL, of which the database keeps the minutes."""

from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor

import pytest

from support.history import written_history
from support.races import run_races_at
from support.records import upgraded

RACES = 10_000
AT_ONCE = 3
"""Processes, each with one race at a time over a task of its own."""


@pytest.mark.timeout(1200)
def test_random_races(postgres_url: str) -> None:
    first = random.randrange(10**9)
    print("seed", first)
    share = -(-RACES // AT_ONCE)
    starts = [first + number * share for number in range(AT_ONCE)]
    database = upgraded(postgres_url)
    spawn = multiprocessing.get_context("spawn")
    with written_history(database), ProcessPoolExecutor(AT_ONCE, mp_context=spawn) as pool:
        running = [pool.submit(run_races_at, postgres_url, start, share) for start in starts]
        for races in running:
            races.result()
    database.close()
