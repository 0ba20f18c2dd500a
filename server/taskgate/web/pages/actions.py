"""Aborting, retrying, pausing: each asks on a page of its own, which needs no script."""

from __future__ import annotations

import uuid
from datetime import timedelta

from starlette.responses import Response

from taskgate.server.errors import RequestError
from taskgate.store.errors import SubmissionRefused, TaskAlreadyFinal, TaskNotFinal
from taskgate.v1 import pauses_pb2, task_service_pb2
from taskgate.web import formats
from taskgate.web.formats import path
from taskgate.web.refusals import Refusal, refusal_of
from taskgate.web.security import Form, Refused
from taskgate.web.visit import Visit, see_other

DEFAULT_GRACE = 10
"""Seconds."""

_REFUSALS = (RequestError, SubmissionRefused, TaskAlreadyFinal, TaskNotFinal)


class ActionPages:
    """What is asked before something is done, and what does it."""

    async def ask_abort(self, visit: Visit) -> Response:
        """Whether to abort a task, why, and how hard."""
        return await _abort_page(visit)

    async def abort(self, visit: Visit, form: Form) -> Response:
        """Abort it, and show it."""
        task_id = visit.request.path_params["id"]
        request = task_service_pb2.AbortRequest(
            id=task_id, reason=form.text("reason").strip(), force=form.has("force")
        )
        grace = form.text("grace")
        if request.force and grace.isascii() and grace.isdigit() and len(grace) < 9:
            request.grace_period.FromTimedelta(timedelta(seconds=int(grace)))
        try:
            await visit.calls.abort(request)
        except _REFUSALS as exc:
            return await _abort_page(visit, request.reason, refusal_of(exc, "/abort"))
        return see_other(f"/tasks/{path(task_id)}")

    async def ask_retry(self, visit: Visit) -> Response:
        """With which arguments to run a task again."""
        task = await visit.calls.get(visit.request.path_params["id"])
        return visit.page(
            "retry.html",
            task=task,
            arguments=formats.arguments_text(task),
            request_id=str(uuid.uuid4()),
            refusal=None,
        )

    async def retry(self, visit: Visit, form: Form) -> Response:
        """Run it again, and show the new task; or the form again, with what is wrong in it.

        Arguments that were not edited are the task's own: they are not sent again.
        """
        task = await visit.calls.get(visit.request.path_params["id"])
        arguments, request_id = form.text("arguments"), form.text("request_id")
        request = task_service_pb2.RetryRequest(id=task.id, request_id=request_id)
        if arguments.strip() != formats.arguments_text(task):
            request.replace_arguments = True
            request.arguments_json = arguments
        try:
            new = await visit.calls.retry(request)
        except _REFUSALS as exc:
            refusal = refusal_of(exc, "/retry")
            return visit.page(
                "retry.html",
                refusal.status,
                task=task,
                arguments=arguments,
                request_id=request_id,
                refusal=refusal,
            )
        return see_other(f"/tasks/{path(new.id)}")

    async def ask_pause(self, visit: Visit) -> Response:
        """Whether to pause a queue or a task type, or to end its pause."""
        return await _pause_page(visit)

    async def pause(self, visit: Visit, form: Form) -> Response:
        """Pause it or resume it."""
        kind, name = _target(visit)
        try:
            if form.has("resume"):
                resume = pauses_pb2.ResumeRequest()
                setattr(resume, kind, name)
                await visit.calls.resume(resume)
            else:
                pause = pauses_pb2.PauseRequest(reason=form.text("reason").strip())
                setattr(pause, kind, name)
                await visit.calls.pause(pause)
        except RequestError as exc:
            return await _pause_page(visit, refusal_of(exc, "/pause"))
        return see_other("/" if kind == "queue" else f"/types/{path(name)}")


async def _abort_page(visit: Visit, reason: str = "", refusal: Refusal | None = None) -> Response:
    return visit.page(
        "abort.html",
        refusal.status if refusal else 200,
        task=await visit.calls.get(visit.request.path_params["id"]),
        reason=reason,
        grace=DEFAULT_GRACE,
        refusal=refusal,
    )


async def _pause_page(visit: Visit, refusal: Refusal | None = None) -> Response:
    kind, name = _target(visit)
    pauses = await visit.calls.pauses()
    return visit.page(
        "pause.html",
        refusal.status if refusal else 200,
        kind=kind.replace("_", " "),
        target=name,
        pause=next((one for one in pauses if getattr(one, kind) == name), None),
        refusal=refusal,
    )


def _target(visit: Visit) -> tuple[str, str]:
    kind = visit.request.path_params["kind"]
    if kind not in ("queue", "task_type"):
        raise Refused(404, "There is no such page.")
    return kind, visit.request.path_params["name"]
