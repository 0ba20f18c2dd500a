"""A PostgreSQL server."""

from __future__ import annotations

import itertools
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from support.require import require
from support.server import Server, running_as_root
from support.waiting import wait_until

USER = "taskgate"


class PostgresServer(Server):
    """PostgreSQL, for as many databases as the tests want.

    It survives `kill` with every committed row, but not a power cut: it never calls fsync.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait until the clients have gone

    def command(self) -> Sequence[str | Path]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=200",
            *self.options,
        ]
        return [
            require("postgres"),
            f"-D{self._data}",
            *itertools.chain.from_iterable(("-c", setting) for setting in settings),
        ]

    def user(self) -> str | None:
        """PostgreSQL refuses to run as root."""
        return _ordinary_user() if running_as_root() else None

    def start(self) -> None:
        if not self._data.exists():
            self._make_cluster()
        super().start()

    def is_ready(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """Return the database's address, as POSTGRES_URL takes it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database, a copy of the template; returns its address."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def make_standby(self) -> None:
        """Have it start as a standby of nobody, which only reads until ``pg_promote()``."""
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        user = self.user()
        if user is not None:
            shutil.chown(signal_file, user)

    def commit_on(self, standby: PostgresStandby) -> None:
        """From now on a commit is confirmed only when the standby has it on disk."""
        self._execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._execute("SELECT pg_reload_conf()")
        wait_until(
            lambda: self.query("SELECT sync_state FROM pg_stat_replication") == ["sync"],
            30,
            f"commits wait for {standby.name} at {standby.port}",
        )

    def query(self, statement: str) -> list[Any]:
        """The first column of what the statement finds, in the database "postgres"."""
        with (
            closing(psycopg2.connect(self.url("postgres"), connect_timeout=5)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()]

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make_cluster(self) -> None:
        options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run_as_user(require("initdb"), f"--pgdata={self._data}", "--no-sync", *options)

    def _run_as_user(self, *command: str | Path) -> None:
        user = self.user()
        if user is not None:
            shutil.chown(self.folder, user)
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )

    def _execute(self, statement: str) -> None:
        with closing(psycopg2.connect(self.url("postgres"), connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


class PostgresStandby(PostgresServer):
    """Streams from a running server, and only reads until it is promoted."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__()
        self._primary = primary

    def wait_until_current(self) -> None:
        """Return once it has all that its primary has committed so far."""
        [position] = self._primary.query("SELECT pg_current_wal_lsn()::text")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
        wait_until(lambda: self.query(reached) == [True], 60, "the standby is current")

    def promote(self) -> None:
        """It writes from now on."""
        self._execute("SELECT pg_promote()")

    def _make_cluster(self) -> None:
        source = f"host=127.0.0.1 port={self._primary.port} user={USER}"
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        self._run_as_user(
            require("pg_basebackup"), f"--pgdata={self._data}", f"--dbname={source}", *options
        )


def _ordinary_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
