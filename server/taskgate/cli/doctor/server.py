"""The server: whether it answers, and whom."""

from __future__ import annotations

from collections.abc import Iterator

from taskgate.cli.doctor.finding import Finding, ok, problem, warning
from taskgate.client import Client, TaskgateError, Unauthenticated


def look_at_server(client: Client, *, insecure: bool) -> Iterator[Finding]:
    """Whether it says that it serves, and answers a call; ``insecure``: TASKGATE_INSECURE."""
    try:
        serves = client.is_serving()
    except TaskgateError as error:
        yield problem(
            f"no server answers at {client.target}: {error.message.rpartition(': ')[2]}",
            "start one: `taskgate server`, or `taskgate up`; or set TASKGATE_ADDRESS, and "
            "TASKGATE_TLS_CA if it wants TLS",
        )
        return
    if not serves:
        yield problem(f"the server at {client.target} is shutting down", "start it again")
        return
    yield from _call(client)
    if insecure:
        yield warning(
            "TASKGATE_INSECURE lets whoever reaches the address run tasks",
            "set TASKGATE_TLS_CERT, TASKGATE_TLS_KEY and TASKGATE_TOKENS_FILE",
        )


def _call(client: Client) -> Iterator[Finding]:
    try:
        types = list(client.task_types())
    except Unauthenticated as error:
        yield problem(
            f"the server at {client.target} does not know us: {error.message}",
            "set TASKGATE_TOKEN to a token in the server's TASKGATE_TOKENS_FILE",
        )
    except TaskgateError as error:
        yield problem(
            f"the server at {client.target} serves, but fails a call: {error.message}",
            "look into its log",
        )
    else:
        yield ok(f"the server at {client.target} serves; it knows {len(types)} task types")
