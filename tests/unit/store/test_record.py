from __future__ import annotations

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
