"""Task types as workers register them: readable, kept while nobody runs them, revised."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from support.deployment import Deployment
from support.engines import Engines
from support.processes import Process
from support.requests import submit
from support.serving import SECONDS, refused
from support.waiting import wait_until
from taskgate.server.messages import values
from taskgate.v1 import task_service_pb2, task_type_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

SIGNATURES = {
    "demo.add": "(x: int | float, y: int | float)",
    "demo.echo": "(value)",
    "typed.plain": "(whole: int, fraction: float, text: str, flag: bool = False)",
    "typed.unannotated": "(first, second=2)",
    "typed.positional_only": "(x: int, /, y: int)",
    "typed.keyword_only": "(*, x: int, y: int = 5)",
    "typed.rest": "(first: str, *numbers: int, **dates: date)",
    "typed.bound": "(x: int)",
    "typed.retried": "(x: int = 1)",
    "typed.scalars": (
        "(when: datetime, amount: Decimal, id_: UUID, colour: Colour, pause: timedelta = …)"
    ),
    "typed.unions": (
        "(number: int | None, either: int | str = 0, mode: Literal['fast', 'slow'] = 'fast')"
    ),
    "typed.models": "(line: Line, points: dict[str, Point], best: Point | None = None)",
    "typed.bounded": "(percent: int, code: str = 'ABC', tags: set[str] = …)",
}


def types_of(stub: TaskServiceStub, size: int = 0) -> dict[str, task_type_pb2.TaskType]:
    request = task_service_pb2.ListTaskTypesRequest(page_size=size)
    found: list[task_type_pb2.TaskType] = []
    while True:
        page = stub.ListTaskTypes(request, timeout=SECONDS)
        found += page.task_types
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [known.name for known in found] == sorted({known.name for known in found})
    return {known.name: known for known in found}


def test_signatures_are_readable_at_a_glance(deployment: Deployment) -> None:
    types = types_of(deployment.stub())
    assert {name: types[name].signature for name in SIGNATURES} == SIGNATURES


def test_what_is_known_of_a_type(deployment: Deployment) -> None:
    types = types_of(deployment.stub())
    models, retried = types["typed.models"], types["typed.retried"]
    assert models.doc == "Take a Pydantic model and dataclasses."
    assert (retried.max_attempts, retried.queue) == (3, "celery")
    assert types["journal.fatal_once"].at_most_once
    assert models.registered_by == deployment.workers()[-1].id
    schema = values.from_struct(models.arguments_schema)
    assert schema["required"] == ["line", "points"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Point"]["required"] == ["x"]
    kinds = [task_type_pb2.ParameterKind.Name(p.kind) for p in types["typed.rest"].parameters]
    assert kinds == [
        "PARAMETER_KIND_POSITIONAL_OR_KEYWORD",
        "PARAMETER_KIND_VAR_POSITIONAL",
        "PARAMETER_KIND_VAR_KEYWORD",
    ]


def test_pages_of_any_size_are_the_whole_list(deployment: Deployment) -> None:
    stub = deployment.stub()
    whole = types_of(stub)
    assert types_of(stub, 1) == whole
    assert types_of(stub, 7) == whole
    assert types_of(stub, 5_000) == whole
    negative = task_service_pb2.ListTaskTypesRequest(page_size=-1)
    assert list(refused(stub.ListTaskTypes, negative).violations) == ["page_size"]
    foreign = task_service_pb2.ListTaskTypesRequest(page_token="bm9uc2Vuc2U=")
    assert refused(stub.ListTaskTypes, foreign).reason == "PAGE_TOKEN_INVALID"


MODULE = '''
from __future__ import annotations
from dataclasses import dataclass
from taskgate.tasks import task

@dataclass
class Order:
    item: str
    {field}

@task(name="revised.buy")
def buy({parameters}) -> str:
    """{doc}"""
    return "bought"
'''


class Shop:
    """A deployment whose worker is started again and again with a changed module."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self._folder = folder
        deployment.start_server()
        self.stub = deployment.stub()

    def open(self, parameters: str, *, field: str = "count: int = 1", doc: str = "Buy.") -> Process:
        """Start a worker with this version of the module."""
        text = MODULE.format(parameters=parameters, field=field, doc=doc)
        (self._folder / "revised.py").write_text(text)
        env = {
            "TASKGATE_TASKS": "revised",
            "PYTHONPATH": f"{self._folder}:{self.deployment.env['PYTHONPATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        options = ("--pool=solo", "--loglevel=info")
        return self.deployment.start_worker(*options, env=env)

    def takes(self, order: dict[str, str]) -> bool:
        """Whether the server lets the order pass."""
        try:
            self.stub.Submit(submit("revised.buy", order), timeout=SECONDS)
        except grpc.RpcError:
            return False
        return True

    def revision(self) -> int:
        return types_of(self.stub)["revised.buy"].revision


@pytest.fixture
def shop(own_engines: Engines, own_deployment: Deployment, tmp_path: Path) -> Shop:
    return Shop(own_deployment, tmp_path)


CHANGED = "the task type revised.buy has another definition than before"


def test_types_outlive_their_workers_and_are_revised(shop: Shop) -> None:
    first = shop.open("order: Order, gift: bool = False")
    assert shop.revision() == 1
    first.stop()

    waiting = submit("revised.buy", {"item": "tea"})
    task = shop.stub.Submit(waiting, timeout=SECONDS).task
    wrong = refused(shop.stub.Submit, submit("revised.buy", {"count": 1}))
    assert wrong.violations == {"args[0].item": "it is missing"}

    same = shop.open("order: Order, gift: bool = False")
    assert shop.deployment.wait_final(shop.stub, task.id).result.string_value == "bought"
    same.stop()
    assert shop.revision() == 1
    assert CHANGED not in same.output

    changed = shop.open("order: Order, gift: bool = False", field="count: int", doc="Buy it.")
    assert CHANGED in changed.output
    assert (shop.revision(), types_of(shop.stub)["revised.buy"].doc) == (2, "Buy it.")
    # What was right a moment ago may pass for as long as the server goes by its last reading.
    wait_until(lambda: not shop.takes({"item": "tea"}), 20, "the server has read the types again")
    wrong = refused(shop.stub.Submit, submit("revised.buy", {"item": "tea"}))
    assert wrong.violations == {"args[0].count": "it is missing"}
