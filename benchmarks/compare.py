"""taskgate beside stock Celery, on the same servers in the same run: ``make bench``.

Only the ratios mean anything; the absolute numbers are of the machine and the minute.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from load import submit_rate
from redis import Redis
from rich.console import Console
from rich.table import Table

from support.deployment import COMMANDS, Deployment
from support.ports import free_port
from support.postgres import PostgresServer
from support.processes import Process
from support.redis import RedisServer
from support.waiting import wait_until

HERE = Path(__file__).parent
ROUNDS = 3
CALLS = 2_000
TASKS = 1_500
WARM = 100
POOL = ("--pool=prefork", "--concurrency=2", "--loglevel=warning")


class Bench:
    """Both systems, on one PostgreSQL and one Redis, each with its own databases."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        postgres = exits.enter_context(PostgresServer("fsync=on", "full_page_writes=on"))
        redis = exits.enter_context(RedisServer("--databases", "64"))
        self._folder, self._exits = folder, exits
        self._counter = Redis.from_url(redis.empty_database())
        counter_url = (
            f"redis://127.0.0.1:{redis.port}/{self._counter.get_connection_kwargs()['db']}"
        )
        self._stock_env = {
            "BENCH_COUNTER": counter_url,
            "PYTHONPATH": str(HERE),
            "STOCK_BROKER": redis.empty_database(),
        }
        self._backends = {
            "redis": redis.empty_database(),
            "postgresql": "db+" + _psycopg2(postgres.create_database("stock")),
        }
        self.taskgate = exits.enter_context(
            Deployment(
                folder,
                broker_url=redis.empty_database(),
                database_url=postgres.create_database("taskgate"),
                env={
                    "BENCH_COUNTER": counter_url,
                    "PYTHONPATH": f"{HERE}:{HERE.parent / 'tests'}",
                    "TASKGATE_TASKS": "bench_tasks",
                },
            )
        )
        self.taskgate.start_worker(*POOL).stop()  # its task types stay registered
        self.taskgate.start_server()
        self.stock_address = f"127.0.0.1:{free_port()}"
        self._stock("redis", "python", str(HERE / "stock.py"), self.stock_address)

    def _stock(self, backend: str, command: str, *options: str) -> Process:
        process = Process(
            [COMMANDS / command, *options],
            log=self._folder / "stock.log",
            env={**self._stock_env, "STOCK_BACKEND": self._backends[backend]},
            cwd=HERE,
        )
        self._exits.callback(process.stop)
        return process

    def run_taskgate_tasks(self) -> float:
        """Tasks a second, from a queue that was filled before."""
        submit_rate(self.taskgate.address, TASKS, 50)
        return self._rate_of(lambda: self.taskgate.start("taskgate", "worker", *POOL))

    def run_stock_tasks(self, backend: str) -> float:
        """Tasks a second, from a queue that was filled before."""
        submit_rate(self.stock_address, TASKS, 50)
        return self._rate_of(lambda: self._stock(backend, "celery", "-A", "stock", "worker", *POOL))

    def _rate_of(self, start_worker: Callable[[], Process]) -> float:
        self._counter.set("done", 0)
        worker = start_worker()
        wait_until(lambda: self._done() >= WARM, 60, "the worker runs tasks")
        begun_at, warm = time.monotonic(), self._done()
        wait_until(lambda: self._done() >= TASKS, 120, "all tasks have run")
        rate = (TASKS - warm) / (time.monotonic() - begun_at)
        worker.stop()
        return rate

    def _done(self) -> int:
        return int(self._counter.get("done") or 0)


def _psycopg2(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://")


def compare(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], table: Table
) -> None:
    """Measure both in turn; a row with the medians, and the median and range of the ratios."""
    pairs = [(ours(), theirs()) for _ in range(ROUNDS + 1)][1:]  # the first warms up
    ratios = [mine / other for mine, other in pairs]
    table.add_row(
        name,
        f"{statistics.median(mine for mine, _ in pairs):,.0f}",
        f"{statistics.median(other for _, other in pairs):,.0f}",
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
    )


def main() -> None:
    """Run all comparisons and print the table."""
    table = Table("a second", "taskgate", "stock", "ratio", "lowest to highest")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as exits:
        bench = Bench(Path(folder), exits)
        # First, while the queues are empty.
        for backend in ("redis", "postgresql"):
            theirs = partial(bench.run_stock_tasks, backend)
            compare(f"no-op tasks, results in {backend}", bench.run_taskgate_tasks, theirs, table)
        for at_once, calls in ((1, 500), (16, CALLS), (64, CALLS)):
            ours = partial(submit_rate, bench.taskgate.address, calls, at_once)
            theirs = partial(submit_rate, bench.stock_address, calls, at_once)
            compare(f"Submits, {at_once} at once", ours, theirs, table)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
