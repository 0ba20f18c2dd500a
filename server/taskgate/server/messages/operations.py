"""Operations as the API's messages."""

from __future__ import annotations

from google.protobuf import json_format

from taskgate.server.messages.values import timestamp
from taskgate.server.text import printable
from taskgate.store.operations import Operation, failures_of
from taskgate.v1 import operations_pb2, task_filter_pb2


def operation_message(operation: Operation) -> operations_pb2.Operation:
    """The operation as it is on record."""
    return operations_pb2.Operation(
        id=operation.id,
        kind=operations_pb2.OperationKind.Value(f"OPERATION_KIND_{operation.kind}"),
        state=operations_pb2.OperationState.Value(f"OPERATION_STATE_{operation.state}"),
        filter=_filter(operation.selection),
        total=operation.total,
        done=operation.done,
        outcomes=operation.outcomes,
        failures=[
            operations_pb2.OperationFailure(
                task_id=printable(task_id), reason=reason, message=printable(sentence)
            )
            for task_id, reason, sentence in failures_of(operation)
        ],
        by=printable(operation.created_by),
        reason=printable(operation.reason),
        create_time=timestamp(operation.created_at),
        finish_time=timestamp(operation.finished_at),
        tasks_per_second=operation.rate,
    )


def _filter(selection: str) -> task_filter_pb2.TaskFilter | None:
    if not selection:
        return None
    return json_format.Parse(selection, task_filter_pb2.TaskFilter(), ignore_unknown_fields=True)
