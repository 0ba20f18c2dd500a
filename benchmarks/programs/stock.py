"""Stock Celery: the app of its workers, and a program that calls ``apply_async`` in a loop.

``stock.py TASK NUMBER PAUSE`` prints when each call began and ended, in nanoseconds (JSON).
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

from celery import Celery

app = Celery("stock", broker=os.environ["BENCH_BROKER"], backend=os.environ["BENCH_BACKEND"])
app.conf.imports = ["bench_tasks"]


def send(task: str, number: int, pause: float) -> list[tuple[int, int]]:
    """Send tasks, one after the other, each after a pause of about so many seconds."""
    app.loader.import_default_modules()
    function = app.tasks[f"bench.{task}"]
    calls = []
    for n in range(number):
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        begun_at = time.monotonic_ns()
        function.apply_async(args=(n,))
        calls.append((begun_at, time.monotonic_ns()))
    return calls


if __name__ == "__main__":
    sys.stdout.write(json.dumps(send(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
