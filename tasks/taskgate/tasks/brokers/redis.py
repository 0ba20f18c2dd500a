"""The Redis broker: kombu's transport, which here goes on whatever lies in a queue."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from taskgate.tasks.brokers.transports import CarefulTransport, drop


class Channel(redis.Channel):
    """Takes messages as kombu does; what is no JSON is taken, too, and dropped."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # its stubs leave it out
        except ValueError as exc:
            drop("", "of the broker", exc)
            return True


class Transport(CarefulTransport, redis.Transport):
    """The transport class, as kombu finds it by its name."""

    Channel = Channel
