"""What a task costs each part: CPU, statements, transactions, bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial

from bench.environment import POSTGRES_DEFAULT, Environment, Scale
from bench.journal import Journal
from bench.load import grpc_rate
from bench.measurements import Row
from bench.meter import COUNTING, Meter, record_sizes
from bench.subjects.calls import submit_calls
from bench.systems import BATCH, PREFORK, THREADS, Pool, Taskgate
from support.postgres import PostgresServer
from support.waiting import wait_until

SUBMIT = "Submit, 128 in flight"
BATCHED = f"SubmitBatch of {BATCH}"
RUNNING = {pool: f"running a no-op task, {pool}" for pool in (THREADS, PREFORK)}
ON_DISK = "a finished task on disk"

PATIENCE = 180.0
WARM = 0.2
"""The part of a run after which its costs are counted."""


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """On a PostgreSQL that counts statements."""
    with ExitStack() as exits:
        postgres = exits.enter_context(PostgresServer(*POSTGRES_DEFAULT, *COUNTING))
        broker = environment.redis.empty_database()
        deployment = environment.idle_deployment(exits, broker, postgres.create_database("costs"))
        meter = Meter(deployment.database, environment.redis, postgres)
        meter.watch("server", deployment.start_server())
        ours = Taskgate(deployment)
        calls = submit_calls(ours)
        folder = environment.new_folder("costs")
        submit = partial(grpc_rate, deployment.address, calls, scale.tasks, folder)
        yield from _rows(SUBMIT, meter.during(submit), scale.tasks)
        waiting = 2 * scale.tasks + 1

        def fill() -> None:
            ours.fill("nothing", scale.tasks)
            wait_until(
                lambda: environment.messages(broker) >= waiting, PATIENCE, "all are published"
            )

        yield from _rows(BATCHED, meter.during(fill), scale.tasks)
        for pool, title in RUNNING.items():
            if environment.messages(broker) == 0:
                waiting = scale.tasks
                fill()
            costs, number = _run(environment, ours, pool, meter, waiting)
            yield from _rows(title, costs, number)
        yield _row(ON_DISK, "bytes", record_sizes(deployment.database))


def _run(
    environment: Environment, ours: Taskgate, pool: Pool, meter: Meter, waiting: int
) -> tuple[Mapping[str, Mapping[str, float]], int]:
    """What it costs a worker to run most of the tasks that wait, and how many these were."""
    journal = Journal(environment.new_folder("run") / "journal")
    before = ours.ended()
    with ExitStack() as exits:
        meter.watch("worker", ours.start_worker(exits, pool, journal.path))
        wait_until(lambda: len(journal) >= waiting * WARM, PATIENCE, "the worker runs tasks")
        begun = len(journal)

        def finish() -> None:
            wait_until(lambda: len(journal) >= waiting, PATIENCE, "all tasks have run")
            wait_until(lambda: ours.ended() - before >= waiting, PATIENCE, "all ends are recorded")

        costs = meter.during(finish)
        meter.watch("worker", None)
    return costs, waiting - begun


def _rows(title: str, costs: Mapping[str, Mapping[str, float]], number: int) -> Iterator[Row]:
    for unit, used in costs.items():
        each = {name: value / number for name, value in used.items()}
        yield _row(title, f"{unit} a task", each)


def _row(title: str, unit: str, values: Mapping[str, float]) -> Row:
    once = {name: [value] for name, value in values.items()}
    return Row(title, unit, once, less_is_better=True, compared=False)
