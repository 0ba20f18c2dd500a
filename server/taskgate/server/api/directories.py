"""ListTaskTypes and ListWorkers: short lists, read whole and answered in pages."""

from __future__ import annotations

from sqlalchemy import Connection

from taskgate.server.api.page_tokens import PageTokens, page_size
from taskgate.server.messages.type_messages import task_type_message
from taskgate.server.messages.worker_messages import worker_message
from taskgate.store import task_types, workers
from taskgate.store.workers import Worker
from taskgate.v1 import task_service_pb2

LARGEST_PAGE = 1_000
WORKERS_IN_A_PAGE = 50


def list_task_types(
    tx: Connection, request: task_service_pb2.ListTaskTypesRequest
) -> task_service_pb2.ListTaskTypesResponse:
    """A page of the task types, by name.

    Raises:
        InvalidRequest: fields are wrong.
    """
    tokens = PageTokens.of("ListTaskTypes")
    size = page_size(request.page_size, LARGEST_PAGE, LARGEST_PAGE)
    after = tokens.read(request.page_token, length=1)
    types = sorted(task_types.by_name(tx).items())
    rest = [known for name, known in types if after is None or [name] > after]
    shown = rest[:size]
    return task_service_pb2.ListTaskTypesResponse(
        task_types=[task_type_message(known) for known in shown],
        next_page_token=tokens.write([shown[-1].name]) if len(rest) > size else "",
    )


def list_workers(
    tx: Connection, request: task_service_pb2.ListWorkersRequest
) -> task_service_pb2.ListWorkersResponse:
    """A page of the workers, the newest first.

    Raises:
        InvalidRequest: fields are wrong.
    """
    tokens = PageTokens.of("ListWorkers", request.alive_only)
    size = page_size(request.page_size, WORKERS_IN_A_PAGE, LARGEST_PAGE)
    after = tokens.read(request.page_token, length=2)
    rest = [
        worker
        for worker in sorted(workers.list_all(tx), key=_position, reverse=True)
        if (worker.is_alive or not request.alive_only)
        and (after is None or _position(worker) < after)
    ]
    shown = rest[:size]
    active = workers.active_counts(tx)
    return task_service_pb2.ListWorkersResponse(
        workers=[worker_message(worker, active.get(worker.id, 0)) for worker in shown],
        next_page_token=tokens.write(_position(shown[-1])) if len(rest) > size else "",
    )


def _position(worker: Worker) -> list[str]:
    return [worker.started_at.isoformat(timespec="microseconds"), worker.id]
