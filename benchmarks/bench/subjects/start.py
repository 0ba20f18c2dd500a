"""How long it takes from a submission to the task's start while nothing else happens."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bench import setups
from bench.environment import Environment, Scale
from bench.journal import Journal
from bench.measurements import Row, in_turns
from bench.systems import PREFORK, Stock, Taskgate
from support.waiting import wait_until
from taskgate.v1 import task_service_pb2

PAUSE = 0.03
"""Between two submissions, in seconds, drawn anew each time: no poll keeps step with it."""

Sender = Callable[[int], list[int]]
"""Submits so many tasks; when each was begun."""


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """On Redis, on RabbitMQ, and on the embedded default."""
    for title, make in (
        ("submit to start, Redis", setups.on_redis),
        ("submit to start, RabbitMQ", setups.on_rabbitmq),
        ("submit to start, SQLite alone", setups.on_sqlite),
    ):
        with ExitStack() as exits:
            ours, stock = make(environment, exits)
            contestants = {
                ours.name: _started(environment, exits, ours, _grpc_sender(ours), scale.samples),
                stock.name: _started(
                    environment, exits, stock, _celery_sender(stock), scale.samples
                ),
            }
            values = in_turns(contestants, scale.rounds, warm_up=True)
            yield Row(title, "ms, p50", values, less_is_better=True)


def _started(
    environment: Environment,
    exits: ExitStack,
    system: Taskgate | Stock,
    send: Sender,
    number: int,
) -> Callable[[], float]:
    journal = Journal(environment.new_folder("start") / "journal")
    system.start_worker(exits, PREFORK, journal.path)

    def milliseconds() -> float:
        journal.path.write_bytes(b"")
        begun = send(number)
        wait_until(lambda: len(journal) >= number, 60, f"{system.name} has started all tasks")
        journal.check(number)
        starts = journal.starts()
        return statistics.median(starts[n] - begun_at for n, begun_at in enumerate(begun)) / 1e6

    return milliseconds


def _grpc_sender(system: Taskgate) -> Sender:
    stub = system.deployment.stub()

    def send(number: int) -> list[int]:
        begun = []
        for n in range(number):
            time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            request = task_service_pb2.SubmitRequest(task_type="bench.nothing")
            request.args.append(n)
            begun.append(time.monotonic_ns())
            stub.Submit(request, timeout=30)
        return begun

    return send


def _celery_sender(system: Stock) -> Sender:
    def send(number: int) -> list[int]:
        printed = json.loads(system.run("stock.py", "nothing", str(number), str(PAUSE)))
        return [begun_at for begun_at, _ in printed]

    return send
