"""Redis as a broker: what it forgets, and when it delivers twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery import Celery
from kombu import Connection
from redis.exceptions import ResponseError

from taskgate.cli.doctor.finding import Finding, ok, warning

_PUBLISHED_AGAIN = "what waited is found in the record and published again, from 10 s on"


def look(app: Celery, connection: Connection) -> Iterator[Finding]:
    """What this Redis can do."""
    del app
    channel: Any = connection.default_channel
    client = channel.client
    yield ok(f"Redis {client.info('server').get('redis_version')}: priorities 0 to 9, fan-out")
    yield from _durability(client)
    yield ok(
        f"tasks that run longer than {channel.visibility_timeout} s are delivered again; "
        "the second message is dropped at its claim"
    )


def _durability(client: Any) -> Iterator[Finding]:
    try:
        options = {
            **client.config_get("save"),
            **client.config_get("append*"),
            **client.config_get("maxmemory*"),
        }
    except ResponseError as error:  # managed ones do not tell
        yield warning(
            f"it does not say whether it keeps its data on disk ({error})",
            f"if it does not, and restarts: {_PUBLISHED_AGAIN}",
        )
        return
    yield _persistence(options)
    yield from _eviction(options)


def _persistence(options: dict[str, str]) -> Finding:
    if options.get("appendonly") == "yes":
        return ok(f"it keeps messages on disk (appendfsync {options.get('appendfsync')})")
    if options.get("save"):
        return warning(
            f"it writes snapshots only: a crash loses messages since the last one; "
            f"{_PUBLISHED_AGAIN}",
            "set appendonly yes",
        )
    return warning(
        f"it keeps nothing on disk: a restart empties its queues; {_PUBLISHED_AGAIN}",
        "set appendonly yes",
    )


def _eviction(options: dict[str, str]) -> Iterator[Finding]:
    policy = options.get("maxmemory-policy", "noeviction")
    if options.get("maxmemory", "0") != "0" and policy.startswith("allkeys"):
        yield warning(
            f"it throws queues away when its memory is full (maxmemory-policy {policy})",
            "set maxmemory-policy noeviction, or give taskgate a Redis of its own",
        )
