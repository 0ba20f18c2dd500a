"""Aborting and retrying all tasks that fit the filters: counted first, then by an operation."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from starlette.responses import Response

from taskgate.server.errors import RequestError
from taskgate.store.errors import OperationNotFound, TooManyTasks
from taskgate.v1 import operations_pb2
from taskgate.web.formats import path
from taskgate.web.pages.tasks import Filters, invalid
from taskgate.web.refusals import Refusal, refusal_of
from taskgate.web.security import Form, Refused
from taskgate.web.visit import Visit, see_other

REFRESH_SECONDS = 2

_KINDS = ("abort", "retry")
_REFUSALS = (RequestError, TooManyTasks)


class ManyPages:
    """What is asked before it is done to many, what does it, and how far that is."""

    async def ask(self, visit: Visit) -> Response:
        """How many tasks there are, some of them, and whether to go on."""
        try:
            request = _request(visit)
            request.options.dry_run = True
            begun = await _begin(visit, request)
        except _REFUSALS as exc:
            return _ask_page(visit, None, refusal_of(exc, "/many"))
        return _ask_page(visit, begun)

    async def begin(self, visit: Visit, form: Form) -> Response:
        """Begin the operation, and show it."""
        request = _request(visit)
        request.options.request_id = form.text("request_id")
        if isinstance(request, operations_pb2.AbortTasksRequest):
            request.reason = form.text("reason").strip()
        try:
            begun = await _begin(visit, request)
        except _REFUSALS as exc:
            return _ask_page(visit, None, refusal_of(exc, "/many"))
        return see_other(f"/operations/{path(begun.operation.id)}")

    async def operation(self, visit: Visit) -> Response:
        """How far an operation is; the page looks again while it goes on."""
        try:
            operation = await visit.calls.operation(visit.request.path_params["id"])
        except OperationNotFound as exc:
            raise Refused(404, str(exc)) from exc
        answer = visit.page(
            "operation.html",
            operation=operation,
            kind=operations_pb2.OperationKind.Name(operation.kind).removeprefix("OPERATION_KIND_"),
            state=operations_pb2.OperationState.Name(operation.state).removeprefix(
                "OPERATION_STATE_"
            ),
            may_stop=visit.calls.may("StopOperation"),
        )
        if operation.state == operations_pb2.OPERATION_STATE_RUNNING:
            answer.headers["Refresh"] = str(REFRESH_SECONDS)
        return answer

    async def stop(self, visit: Visit, _form: Form) -> Response:
        """Stop it, and show it."""
        operation_id = visit.request.path_params["id"]
        await visit.calls.stop_operation(operation_id)
        return see_other(f"/operations/{path(operation_id)}")


Request = operations_pb2.AbortTasksRequest | operations_pb2.RetryTasksRequest
Begun = operations_pb2.AbortTasksResponse | operations_pb2.RetryTasksResponse


def _request(visit: Visit) -> Request:
    kind = _kind(visit)
    filters = Filters.of(visit.request.query_params)
    if filters.id:
        raise invalid("id", "many tasks are not chosen by how their ids begin")
    wanted = filters.request(datetime.now(UTC))
    request: Request = (
        operations_pb2.AbortTasksRequest()
        if kind == "abort"
        else operations_pb2.RetryTasksRequest()
    )
    chosen = request.selection.filter
    chosen.SetInParent()
    chosen.states.extend(wanted.states)
    chosen.task_types.extend(wanted.task_types)
    chosen.queues.extend(wanted.queues)
    chosen.labels.update(wanted.labels)
    chosen.root_id = wanted.root_id
    chosen.schedule = wanted.schedule
    if wanted.HasField("create_time_from"):
        chosen.create_time_from.CopyFrom(wanted.create_time_from)
    if wanted.HasField("create_time_before"):
        chosen.create_time_before.CopyFrom(wanted.create_time_before)
    return request


async def _begin(visit: Visit, request: Request) -> Begun:
    if isinstance(request, operations_pb2.AbortTasksRequest):
        return await visit.calls.abort_tasks(request)
    return await visit.calls.retry_tasks(request)


def _ask_page(visit: Visit, begun: Begun | None, refusal: Refusal | None = None) -> Response:
    filters = Filters.of(visit.request.query_params)
    return visit.page(
        "many.html",
        refusal.status if refusal else 200,
        kind=_kind(visit),
        begun=begun,
        refusal=refusal,
        filters=filters,
        request_id=str(uuid.uuid4()),
    )


def _kind(visit: Visit) -> str:
    kind = str(visit.request.path_params["kind"])
    if kind not in _KINDS:
        raise Refused(404, "There is no such page.")
    return kind
