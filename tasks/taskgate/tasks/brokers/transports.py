"""Which kombu transports taskgate brings its own of.

They take the names of kombu's: CELERY_BROKER_URL in the environment stands over whatever an app
configures, so that names of our own would never be asked for.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

_OURS = {
    "sqla": "taskgate.tasks.brokers.sql_broker:Transport",
    "sqlalchemy": "taskgate.tasks.brokers.sql_broker:Transport",
    "redis": "taskgate.tasks.brokers.redis_broker:Transport",
    "rediss": "taskgate.tasks.brokers.redis_broker:Transport",
}


def register() -> None:
    """Have kombu find our transports by their names."""
    TRANSPORT_ALIASES.update(_OURS)
