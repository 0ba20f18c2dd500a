"""PgBouncer in transaction mode, in front of a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from support.postgres import USER, PostgresServer
from support.require import require
from support.server import Server

_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
"""


class PgBouncer(Server):
    """Many clients share few connections, each for a transaction at a time."""

    name = "pgbouncer"

    def __init__(self, server: PostgresServer, connections: int = 5) -> None:
        super().__init__()
        self._server = server
        self._connections = connections

    def command(self) -> Sequence[str | Path]:
        file = self.folder / "pgbouncer.ini"
        file.write_text(
            _CONFIGURATION.format(
                port=self.port,
                server_port=self._server.port,
                user=USER,
                connections=self._connections,
            )
        )
        self.folder.chmod(0o755)
        return [require("pgbouncer"), file]

    def user(self) -> str | None:
        """PgBouncer refuses to run as root."""
        return self._server.user()

    def is_ready(self) -> bool:
        try:
            with closing(psycopg2.connect(self.url("postgres"), connect_timeout=5)):
                return True
        except psycopg2.OperationalError:
            return False

    def url(self, database: str) -> str:
        """Return a database's address, as POSTGRES_URL takes it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"
