"""How a Celery app must be set up so that nothing is lost, by its broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskgate.tasks.brokers import connecting, sql
from taskgate.tasks.settings import Settings

DEMO_MODULE = "taskgate.tasks.demo"

SAFE: dict[str, Any] = {
    # JSON only: unpickling a message would run whatever its sender wants.
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],
    # Acknowledged after the run: what a worker that dies had not claimed goes back to the queue,
    # and a busy worker hoards nothing. A duplicate loses the claim, and is acknowledged.
    "task_acks_late": True,
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,
    # A requeued message would find the claim taken; the record requeues.
    "task_reject_on_worker_lost": False,
    # Every write to the record counts.
    "task_ignore_result": False,
    "task_store_errors_even_if_ignored": True,
    # The claim says that a task has started.
    "task_track_started": False,
    "result_extended": True,
    "result_backend_thread_safe": True,
    "broker_connection_retry_on_startup": True,
    # Seconds until a dead pool process is noticed. Celery waits for 10, in case its result is still
    # on the way; ours is on record by then, so that nothing can be taken for lost wrongly.
    "worker_lost_wait": 1.0,
    # RabbitMQ's consumer_timeout closes the channel; without this it would end the worker.
    "broker_channel_error_retry": True,
    "worker_enable_prefetch_count_reduction": False,  # celery#9512: it never comes back up
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # Exclusive, RabbitMQ would refuse a second worker of the same name, on one host the default.
    "control_queue_exclusive": False,
    "control_queue_durable": True,
    "task_publish_retry_policy": {
        "max_retries": 3,
        "interval_start": 0.1,
        "interval_step": 0.5,
        "interval_max": 1.0,
    },
}
"""The settings that a user may overrule."""

FORCED: dict[str, Any] = {
    "result_backend_thread_safe": True,
    "task_reject_on_worker_lost": False,
    "task_retry_on_worker_lost": False,
}
"""The settings without which the record would not be true."""

_ANSWER_SECONDS = 10


def configuration(settings: Settings) -> dict[str, Any]:
    """All of an app's configuration."""
    url = settings.celery_broker_url
    ours = broker_options(url)
    chosen = settings.celery_broker_transport_options
    return {
        **SAFE,
        **record_options(settings),
        **ours,
        "broker_transport_options": merged_transport_options(ours, chosen),
        "broker_url": url,
        "task_queue_max_priority": connecting.HIGHEST + 1 if _is_amqp(url) else None,
        "imports": (DEMO_MODULE, *settings.taskgate_tasks),
    }


def record_options(settings: Settings) -> dict[str, Any]:
    """Where the record is, and what its users need to know."""
    return {
        "result_backend": f"taskgate+{settings.postgres_url}",
        "taskgate_context": settings.taskgate_context,
        "taskgate_lease_seconds": settings.taskgate_lease_seconds,
        "taskgate_max_result_bytes": settings.taskgate_max_result_bytes,
        "taskgate_max_worker_losses": settings.taskgate_max_worker_losses,
        "taskgate_worker_alive_file": settings.taskgate_worker_alive_file,
        "taskgate_task_log_bytes": settings.taskgate_task_log_bytes,
    }


def broker_options(url: str) -> dict[str, Any]:
    """What suits the kind of broker."""
    if sql.is_sql(url):
        # Without fan-out remote control does nothing, and polls for it.
        return {"worker_enable_remote_control": False}
    if _is_amqp(url):
        return {
            "task_default_priority": connecting.MIDDLE,
            "broker_transport_options": {
                "confirm_publish": True,
                "read_timeout": _ANSWER_SECONDS,
                "write_timeout": _ANSWER_SECONDS,
            },
        }
    return {
        "task_default_priority": connecting.to_broker(connecting.MIDDLE, zero_first=True),
        "broker_transport_options": {
            "priority_steps": list(range(connecting.HIGHEST + 1)),
            "socket_timeout": _ANSWER_SECONDS,
            "socket_connect_timeout": _ANSWER_SECONDS,
            "socket_keepalive": True,
        },
    }


def merged_transport_options(
    defaults: Mapping[str, Any], chosen: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A user's broker_transport_options, with ours where these say nothing.

    ``defaults``: what ``broker_options`` gave. Workers look at the steps of both for messages:
    Redis keeps a list for each, and a server publishes to ours, other programs to the user's.
    """
    ours = defaults.get("broker_transport_options", {})
    merged = {**ours, **(chosen or {})}
    if steps := merged.get("priority_steps"):
        merged["priority_steps"] = sorted({*steps, *ours.get("priority_steps", ())})
    return merged


def _is_amqp(url: str) -> bool:
    return url.startswith(("amqp", "pyamqp"))
