"""Runs the migrations on the connection that ``schema.py`` gives, inside its transaction."""

from __future__ import annotations

from alembic import context

from taskgate.store.database.schema import VERSION_TABLE
from taskgate.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite cannot alter a column: Alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
