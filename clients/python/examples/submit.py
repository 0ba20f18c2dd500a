"""Submits tasks to a server, follows them, and reads what they returned: ``submit.py [ADDRESS]``.

The README explains it piece by piece.
"""

from __future__ import annotations

import asyncio
import os
import sys

from taskgate.client import (
    AsyncClient,
    Client,
    Reason,
    State,
    Submission,
    TaskFailed,
    TaskgateError,
    TaskHandle,
    TaskTypeUnknown,
)


def connect(address: str) -> Client:
    """Connect in plain text, or over TLS if there is a token."""
    token = os.environ.get("TASKGATE_TOKEN")
    if token:
        return Client(address, tls_ca="/etc/taskgate/ca.pem", token=token)
    return Client(address)


def add(client: Client) -> None:
    """Add two numbers somewhere else."""
    task = client.submit("demo.add", [1, 2], labels={"team": "web"})
    print("sum:", task.result(timeout=30))


def refused(client: Client) -> None:
    """Make mistakes."""
    try:
        client.submit("demo.ad", [1, 2])
    except TaskTypeUnknown as error:
        print(error.code, error.violations)
    except TaskgateError as error:
        if error.reason == Reason.STORE_UNAVAILABLE:
            print("the server's database is away")


def failed(client: Client) -> None:
    """Run a task that fails."""
    task = client.submit("demo.fail", ["boom"])
    try:
        task.result(timeout=30)
    except TaskFailed as failure:
        print("no result:", failure.task.error)


def many(client: Client) -> None:
    """Submit several at once, and follow them."""
    submissions = [Submission("demo.add", [number, 1]) for number in range(3)]
    outcomes = client.submit_many(submissions)
    tasks = [outcome for outcome in outcomes if isinstance(outcome, TaskHandle)]
    for task in client.watch(tasks, timeout=60):
        print(task.id, task.state, task.result)
    for task in client.list(states=[State.FAILED], page_size=10):
        print(task.id, task.error)


async def in_an_event_loop(address: str) -> None:
    """Follow a task without holding up anything else."""
    async with AsyncClient(address) as client:
        task = await client.submit("demo.countdown", [2])
        async for seen in task.watch(timeout=60):
            print(seen.state, seen.progress)
        print("result:", await task.result())


def main() -> None:
    """Show all of it."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    with connect(address) as client:
        add(client)
        refused(client)
        failed(client)
        many(client)
    asyncio.run(in_an_event_loop(address))


if __name__ == "__main__":
    main()
