"""Task types: what can be run, and a form that runs it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from starlette.responses import Response

from taskgate.server.errors import RequestError, Violations
from taskgate.store.errors import SubmissionRefused
from taskgate.v1 import task_service_pb2, task_type_pb2
from taskgate.web.fields import arguments_json, fields_of
from taskgate.web.formats import path
from taskgate.web.pages.tasks import read_labels
from taskgate.web.refusals import Refusal, refusal_of
from taskgate.web.security import Form, Refused
from taskgate.web.visit import Visit, see_other

_OPTIONS = ("queue", "priority", "delay", "ttl", "run_timeout", "label", "arguments_json")
_LONGEST = 1e9
"""Seconds; the server says what is too long."""


class TypePages:
    """The list, a type's form, and what it submits."""

    async def page(self, visit: Visit) -> Response:
        """What workers have registered."""
        answer = await visit.calls.task_types()
        return visit.page("types.html", types=answer.task_types, cut=answer.next_page_token)

    async def form(self, visit: Visit) -> Response:
        """An empty form."""
        task_type = await _known(visit)
        values = {"queue": visit.query.get("queue", ""), "request_id": str(uuid.uuid4())}
        return _form_page(visit, task_type, values)

    async def submit(self, visit: Visit, form: Form) -> Response:
        """Submit the form's task, and show it; or the form again, with what is wrong in it."""
        task_type = await _known(visit)
        try:
            task = await visit.calls.submit(_request(task_type, form))
        except (RequestError, SubmissionRefused) as exc:
            names = [*_OPTIONS, "request_id", *(field.name for field in fields_of(task_type))]
            typed = {name: form.text(name) for name in names}
            return _form_page(visit, task_type, typed, refusal_of(exc, "/types"))
        return see_other(f"/tasks/{path(task.id)}")


async def _known(visit: Visit) -> task_type_pb2.TaskType:
    name = visit.request.path_params["name"]
    for task_type in (await visit.calls.task_types()).task_types:
        if task_type.name == name:
            return task_type
    raise Refused(404, f"No worker has registered a task type {name!r}.")


def _form_page(
    visit: Visit,
    task_type: task_type_pb2.TaskType,
    values: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Response:
    fields = fields_of(task_type)
    violations = refusal.violations if refusal else {}
    return visit.page(
        "type.html",
        refusal.status if refusal else 200,
        type=task_type,
        fields=fields,
        values=values,
        refusal=refusal,
        wrong={field.name: _wrong(violations, field.parameter) for field in fields},
        may_submit=visit.calls.may("Submit"),
        may_pause=visit.calls.may("Pause"),
    )


def _wrong(violations: Mapping[str, str], parameter: str) -> str:
    """What is wrong with a parameter's value, or within it."""
    begin = f"kwargs.{parameter}"
    said = [
        description if field == begin else f"{field.removeprefix(begin)}: {description}"
        for field, description in violations.items()
        if field == begin or field.startswith((f"{begin}.", f"{begin}["))
    ]
    return "; ".join(said)


def _request(task_type: task_type_pb2.TaskType, form: Form) -> task_service_pb2.SubmitRequest:
    violations = Violations()
    request = task_service_pb2.SubmitRequest(
        task_type=task_type.name,
        arguments_json=form.text("arguments_json").strip() or arguments_json(task_type, form),
        queue=form.text("queue").strip(),
        labels=read_labels(form.text("label"), violations),
        request_id=form.text("request_id"),
    )
    if form.text("priority"):
        request.priority = _whole(form.text("priority"), "priority", violations)
    _set_seconds(request.delay, form.text("delay"), "delay", violations)
    _set_seconds(request.ttl, form.text("ttl"), "ttl", violations)
    _set_seconds(request.run_timeout, form.text("run_timeout"), "run_timeout", violations)
    violations.raise_if_any()
    return request


def _whole(text: str, field: str, violations: Violations) -> int:
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    violations.add(field, f"{text!r} is no whole number")
    return 0


def _set_seconds(message: Duration, text: str, field: str, violations: Violations) -> None:
    if not text.strip():
        return
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not -_LONGEST < seconds < _LONGEST:  # NaN is neither
        violations.add(field, f"{text!r} is no number of seconds")
        return
    message.FromTimedelta(timedelta(seconds=seconds))
