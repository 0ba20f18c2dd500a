"""Counters of what server, worker, database and broker use up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import text

from support.postgres import PostgresServer
from support.processes import Process, descendants
from support.redis import RedisServer
from taskgate.store.database.engine import Database

COUNTING = ("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=5000")
"""Options of a PostgreSQL that counts statements."""

Costs = Mapping[str, Mapping[str, float]]
"""By unit: what was used, by name."""

CPU, COUNTS, BYTES = "µs of CPU", "times", "bytes"

_MICROSECONDS_A_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")

_DATABASE = text("""
    SELECT (SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
            WHERE datname = current_database()) AS statements,
           pg_snapshot_xmax(pg_current_snapshot())::text AS written_transactions,
           pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal
""")
_SIZES = text("""
    SELECT pg_relation_size('taskgate_tasks') / count(*) AS rows,
           pg_indexes_size('taskgate_tasks') / count(*) AS indexes
    FROM taskgate_tasks
""")


class Meter:
    """Reads the counters of a taskgate on a PostgreSQL and a Redis that nobody else uses now."""

    def __init__(self, database: Database, redis: RedisServer, postgres: PostgresServer) -> None:
        self._database = database
        self._redis: Any = redis.client()
        self._processes = {"database": postgres.process, "broker": redis.process}
        with database.write() as tx:
            tx.execute(text("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))

    def watch(self, name: str, process: Process | None) -> None:
        """Count the CPU of a process and its children, too; None: no more."""
        self._processes[name] = process

    def during(self, work: Callable[[], object]) -> Costs:
        """What is used up meanwhile."""
        before = self._read()
        work()
        after = self._read()
        return {
            unit: {name: value - before[unit][name] for name, value in counters.items()}
            for unit, counters in after.items()
        }

    def _read(self) -> Costs:
        with self._database.read() as tx:
            found = tx.execute(_DATABASE).one()
        broker = self._redis.info("stats")
        return {
            CPU: {name: _cpu(one) for name, one in self._processes.items() if one is not None},
            COUNTS: {
                "statements": float(found.statements),
                "transactions that write": float(found.written_transactions),
                "reads of the broker": float(broker["total_reads_processed"]),
                "commands of the broker": float(broker["total_commands_processed"]),
            },
            BYTES: {
                "write-ahead log": float(found.wal),
                "to the broker": float(broker["total_net_input_bytes"]),
                "from the broker": float(broker["total_net_output_bytes"]),
            },
        }


def record_sizes(database: Database) -> Mapping[str, float]:
    """The bytes that a task takes in the record and in its indexes, on average."""
    with database.read() as tx:
        found = tx.execute(_SIZES).one()
    return {"record": float(found.rows), "indexes": float(found.indexes)}


def _cpu(process: Process) -> float:
    """Of a process, its children, and those of them that have ended, in microseconds."""
    return sum(map(_ticks, [process.pid, *descendants(process.pid)])) * _MICROSECONDS_A_TICK


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0  # it has just ended, and is counted with its parent
    return sum(map(int, fields[11:15]))  # of its own, and of its ended children
