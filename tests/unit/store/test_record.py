from __future__ import annotations

import subprocess
import sys
import time
import uuid

from taskgate.store.record import new_task_id


def test_an_id_is_a_uuid_of_version_7() -> None:
    task_id = new_task_id()
    parsed = uuid.UUID(task_id)
    assert (str(parsed), parsed.version, parsed.variant) == (task_id, 7, uuid.RFC_4122)


def test_an_id_begins_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid.UUID(new_task_id()).int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_no_two_ids_are_alike() -> None:
    assert len({new_task_id() for _ in range(10_000)}) == 10_000


FORKING = """
import os
from taskgate.store.record import new_task_id

new_task_id()
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        print(*(new_task_id().rpartition("-")[2] for _ in range(100)), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
print(*(new_task_id().rpartition("-")[2] for _ in range(100)))
"""


def test_forked_processes_make_ids_of_their_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=60
    )
    ends = done.stdout.split()  # without the time, which tells apart those made one by one
    assert len(set(ends)) == len(ends) == 500
