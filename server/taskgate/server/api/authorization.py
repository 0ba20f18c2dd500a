"""Which role each call needs: one table, which a test compares with the services' descriptors.

A call's role is checked before its message is read, unless the caller's name is in its certificate.
What a caller sees and may name is checked where its request has been read (``callers.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from taskgate.keda import externalscaler_pb2
from taskgate.server.callers import ALL_ROLES, Caller, Role
from taskgate.v1 import task_service_pb2

_TASK_SERVICE: Mapping[str, Role] = {
    "Submit": Role.SUBMIT,
    "SubmitBatch": Role.SUBMIT,
    "Retry": Role.SUBMIT,
    "Abort": Role.ABORT,
    "Get": Role.READ,
    "Watch": Role.READ,
    "List": Role.READ,
    "Count": Role.READ,
    "ListTaskTypes": Role.READ,
    "ListWorkers": Role.READ,
    "ListQueues": Role.READ,
    "GetStats": Role.READ,
    "ListPauses": Role.READ,
    "Pause": Role.ADMIN,
    "Resume": Role.ADMIN,
    "ListEvents": Role.READ,
    "AbortTasks": Role.ADMIN,
    "RetryTasks": Role.ADMIN,
    "DeleteTasks": Role.ADMIN,
    "StopOperation": Role.ADMIN,
    "GetOperation": Role.READ,
    "WatchOperation": Role.READ,
    "ListOperations": Role.READ,
    "GetLogs": Role.READ,
    "GetSchedule": Role.READ,
    "ListSchedules": Role.READ,
    "TriggerSchedule": Role.SUBMIT,
    "CreateSchedule": Role.ADMIN,
    "UpdateSchedule": Role.ADMIN,
    "DeleteSchedule": Role.ADMIN,
    "PauseSchedule": Role.ADMIN,
    "ResumeSchedule": Role.ADMIN,
}

_TASKS = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"]
_SCALER = externalscaler_pb2.DESCRIPTOR.services_by_name["ExternalScaler"]

ROLES: Mapping[str, Role] = {
    **{f"/{_TASKS.full_name}/{call}": role for call, role in _TASK_SERVICE.items()},
    **{f"/{_SCALER.full_name}/{method.name}": Role.READ for method in _SCALER.methods},
}
"""By the method's path. What is not here, health and reflection, needs no role."""


def check_role(caller: Caller, method: str) -> None:
    """See that the caller has the role that a method, given by its path, needs.

    Raises:
        RoleMissing: it has not.
    """
    if caller.roles is not ALL_ROLES and method in ROLES:
        caller.check_role(ROLES[method], method.rpartition("/")[2])
