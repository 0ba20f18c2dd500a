"""The Celery app, made from settings, or made of an app that a user has already."""

from __future__ import annotations

import os
from typing import Any, cast

from celery import Celery

from taskgate.tasks import sending
from taskgate.tasks.base import TaskgateTask, with_taskgate
from taskgate.tasks.brokers import transports
from taskgate.tasks.configuration import (
    FORCED,
    SAFE,
    broker_options,
    configuration,
    merged_transport_options,
    record_options,
)
from taskgate.tasks.logs.formatting import format_workers_lines
from taskgate.tasks.settings import LogFormat, Settings, with_absolute_paths
from taskgate.tasks.worker.pool import PoolStep
from taskgate.tasks.worker.reception import CarefulReception
from taskgate.tasks.worker.steps import AgentStep, adopt_tasks


def create_app(settings: Settings) -> Celery:
    """A Celery app for workers, and for whoever publishes or looks results up."""
    app: Celery = Celery("taskgate", task_cls=cast("Any", TaskgateTask))
    app.conf.update(configuration(settings))
    _install(app)
    format_workers_lines(settings.taskgate_log_format)
    return app


def manage(app: Celery, settings: Settings | None = None) -> Celery:
    """Have a Celery app's tasks recorded. Call it once the app is configured.

    Its results go to the record. Its broker stays, and so does every other setting that was made;
    the safe ones take the place of Celery's defaults. Settings come from the environment if not
    given.
    """
    settings = settings or Settings()
    url = with_absolute_paths(str(app.conf.broker_url or settings.celery_broker_url))
    ours = broker_options(url)
    app.add_defaults(lambda: {**SAFE, **ours})
    app.conf.update({**FORCED, **record_options(settings), "broker_url": url})
    app.conf.broker_transport_options = merged_transport_options(
        ours, {**settings.celery_broker_transport_options, **app.conf.broker_transport_options}
    )
    app.Task = with_taskgate(app.Task)  # type: ignore[misc]  # it is cached, not read-only
    _install(app)
    if settings.taskgate_log_format is LogFormat.JSON:  # otherwise the lines are the program's own
        format_workers_lines(LogFormat.JSON)
    return app


def _install(app: Celery) -> None:
    transports.use_ours(app)
    sending.use_ours(app)
    # In the environment it overrides the configuration, with a path that a task may make another.
    if url := os.environ.get("CELERY_BROKER_URL"):
        os.environ["CELERY_BROKER_URL"] = with_absolute_paths(url)
    # CELERY_RESULT_BACKEND in the environment, our mirror, would override the configuration.
    cast("Any", app).backend_cls = app.conf["result_backend"]
    app.steps["worker"].update((PoolStep, AgentStep))
    app.steps["consumer"].add(CarefulReception)
    app.on_after_finalize.connect(_on_after_finalize, weak=False)
    if cast("Any", app).finalized:
        adopt_tasks(app)


def _on_after_finalize(sender: Celery, **_: Any) -> None:
    adopt_tasks(sender)
