from __future__ import annotations

import pytest

from taskgate.keda import externalscaler_pb2
from taskgate.server.api.authorization import ROLES, check_role
from taskgate.server.callers import ANYONE, Caller, Patterns, Role
from taskgate.server.errors import QueueNotAllowed, RoleMissing, TaskTypeNotAllowed
from taskgate.store.errors import TaskNotFound
from taskgate.v1 import task_service_pb2


def test_every_call_needs_a_role() -> None:
    files = (task_service_pb2.DESCRIPTOR, externalscaler_pb2.DESCRIPTOR)
    services = [service for file in files for service in file.services_by_name.values()]
    assert set(ROLES) == {
        f"/{service.full_name}/{method.name}" for service in services for method in service.methods
    }


@pytest.mark.parametrize("path", ROLES)
def test_a_call_wants_its_role_and_no_other(path: str) -> None:
    needed = ROLES[path]
    check_role(ANYONE, path)
    check_role(Caller("ann", frozenset({needed})), path)
    check_role(Caller("ann", frozenset({Role.ADMIN})), path)
    others = frozenset(Role) - {needed, Role.ADMIN}
    with pytest.raises(RoleMissing, match=f"role {needed.value!r}.*'ann' has") as caught:
        check_role(Caller("ann", others), path)
    assert caught.value.metadata == {"caller": "ann", "role": needed.value}


def test_other_services_need_none() -> None:
    check_role(Caller("ann", frozenset()), "/grpc.health.v1.Health/Check")


@pytest.mark.parametrize(
    ("texts", "name", "allowed"),
    [
        (("demo.*",), "demo.add", True),
        (("demo.*",), "demo.", True),
        (("demo.*",), "my.demo.add", False),
        (("demo.*",), "DEMO.add", False),
        (("demo.*",), "demoXadd", False),
        (("a", "b-?"), "b-1", True),
        (("a", "b-?"), "ab-1", False),
        (("a", "b-?"), "a\n", False),
        (("[ab]",), "b", True),
    ],
)
def test_patterns(texts: tuple[str, ...], name: str, allowed: bool) -> None:
    assert Patterns(texts).allow(name) is allowed
    caller = Caller("ann", task_types=Patterns(texts))
    assert caller.sees(name, "any") is allowed
    assert Caller("ann", queues=Patterns(texts)).sees("any", name) is allowed


def test_what_is_named_is_refused_and_what_is_there_is_not_found() -> None:
    caller = Caller("ann", task_types=Patterns(("demo.*",)), queues=Patterns(("fast",)))
    caller.check_may_name("demo.add", "fast")
    caller.check_may_name("demo.add", "")
    caller.check_sees("an-id", "demo.add", "fast")
    with pytest.raises(TaskTypeNotAllowed, match=r"like demo\.\*"):
        caller.check_may_name("other", "")
    with pytest.raises(QueueNotAllowed, match="like fast"):
        caller.check_may_name("demo.add", "slow")
    for task_type, queue in (("other", "fast"), ("demo.add", "slow")):
        with pytest.raises(TaskNotFound) as caught:
            caller.check_sees("an-id", task_type, queue)
        assert str(caught.value) == str(TaskNotFound("an-id"))
