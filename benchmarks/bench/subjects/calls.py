"""Calls of the server: many at once beside a bare echo, and one at a time."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import sqlalchemy

from bench import peers, setups
from bench.environment import Environment, Scale
from bench.journal import WrongRun
from bench.load import Calls, grpc_rate, http_rate, median_seconds
from bench.measurements import Row, in_turns
from bench.systems import Stock, Taskgate
from taskgate.v1 import task_service_pb2

BATCH = 100
PAGE = 50
DIFFERENT = 8
"""Tasks that a load of Gets asks for."""

MANY = "calls a second"


def measure_submit(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Submit, 128 in flight."""
    with ExitStack() as exits:
        ours, stock = setups.on_redis(environment, exits)
        calls = submit_calls(ours)
        folder = environment.new_folder("load")
        echo = peers.echo(environment, exits, calls)
        flask = peers.flask(environment, exits, stock)
        flower = peers.flower(environment, exits, stock)
        post = partial(http_rate, body='{"args": [1]}', content_type="application/json")
        contestants: dict[str, Callable[[], float]] = {
            "taskgate": partial(submit_rate, ours, calls, scale.calls, environment),
            "bare echo": partial(grpc_rate, echo, calls, scale.calls, folder),
            "Flask, gunicorn 2x8": partial(
                post, f"http://{flask}/tasks/bench.nothing", number=scale.calls // 4, folder=folder
            ),
            "Flower": partial(
                post,
                f"http://{flower}/api/task/send-task/bench.nothing",
                number=scale.calls // 16,
                folder=folder,
            ),
        }
        values = in_turns(contestants, scale.rounds, warm_up=True)
        yield Row("Submit, 128 in flight", MANY, values)


def measure_alone(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Submit, one at a time."""
    with ExitStack() as exits:
        ours, stock = setups.on_redis(environment, exits)
        contestants: dict[str, Callable[[], float]] = {
            "taskgate": partial(submit_alone, ours, scale.samples),
            "apply_async": partial(_apply_async, stock, scale.samples),
        }
        values = in_turns(contestants, scale.rounds, warm_up=True)
        yield Row("Submit alone", "ms, p50", values, less_is_better=True)


def measure_batch(environment: Environment, scale: Scale) -> Iterator[Row]:
    """SubmitBatch, one after the other."""
    with ExitStack() as exits:
        ours, stock = setups.on_redis(environment, exits)
        batch = task_service_pb2.SubmitBatchRequest(requests=[submit_request()] * BATCH)
        stub = ours.deployment.stub()

        def in_batches() -> float:
            before = recorded(ours)
            number = max(scale.calls // BATCH, 5)
            seconds = median_seconds(lambda: stub.SubmitBatch(batch, timeout=60), number)
            _expect(recorded(ours) - before, number * BATCH)
            return BATCH / seconds

        contestants: dict[str, Callable[[], float]] = {
            "taskgate": in_batches,
            "apply_async in a loop": lambda: 1000 / _apply_async(stock, scale.calls // 4),
        }
        values = in_turns(contestants, scale.rounds, warm_up=True)
        yield Row("SubmitBatch of 100", "tasks a second", values)


def measure_get(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Get, 128 in flight."""
    with ExitStack() as exits:
        ours, _ = setups.on_redis(environment, exits)
        stub = ours.deployment.stub()
        ids = [stub.Submit(submit_request(), timeout=30).task.id for _ in range(DIFFERENT)]
        requests = [task_service_pb2.GetRequest(id=task_id) for task_id in ids]
        calls = Calls("Get", requests, stub.Get(requests[0], timeout=30))
        yield _beside_echo(environment, exits, ours, calls, scale, "Get, 128 in flight")


def measure_list(environment: Environment, scale: Scale) -> Iterator[Row]:
    """List, 128 in flight, of a record with some thousand tasks."""
    with ExitStack() as exits:
        ours, _ = setups.on_redis(environment, exits)
        ours.fill("nothing", 1_000)
        request = task_service_pb2.ListRequest(page_size=PAGE)
        calls = Calls("List", [request], ours.deployment.stub().List(request, timeout=30))
        title = f"List, pages of {PAGE}, 128 in flight"
        yield _beside_echo(environment, exits, ours, calls, scale, title, part=8)


def _beside_echo(
    environment: Environment,
    exits: ExitStack,
    ours: Taskgate,
    calls: Calls,
    scale: Scale,
    title: str,
    part: int = 1,
) -> Row:
    echo = peers.echo(environment, exits, calls)
    folder = environment.new_folder("load")
    number = scale.calls // part
    contestants: dict[str, Callable[[], float]] = {
        "taskgate": partial(grpc_rate, ours.deployment.address, calls, number, folder),
        "bare echo": partial(grpc_rate, echo, calls, number, folder),
    }
    return Row(title, MANY, in_turns(contestants, scale.rounds, warm_up=True))


def submit_request() -> task_service_pb2.SubmitRequest:
    """What the loads submit."""
    request = task_service_pb2.SubmitRequest(task_type="bench.nothing")
    request.args.append(1)
    return request


def submit_calls(ours: Taskgate) -> Calls:
    """A load of Submits."""
    request = submit_request()
    return Calls("Submit", [request], ours.deployment.stub().Submit(request, timeout=30))


def submit_rate(ours: Taskgate, calls: Calls, number: int, environment: Environment) -> float:
    """Submits a second, 128 in flight; each is on record afterwards.

    Raises:
        WrongRun: one is not.
    """
    before = recorded(ours)
    folder = environment.new_folder("load")
    rate = grpc_rate(ours.deployment.address, calls, number, folder)
    _expect(recorded(ours) - before, number)
    return rate


def submit_alone(ours: Taskgate, number: int) -> float:
    """A Submit's median time, in milliseconds."""
    stub, request = ours.deployment.stub(), submit_request()
    before = recorded(ours)
    seconds = median_seconds(lambda: stub.Submit(request, timeout=30), number)
    _expect(recorded(ours) - before, number)
    return seconds * 1000


def recorded(ours: Taskgate) -> int:
    """How many tasks are on record."""
    with ours.deployment.database.read() as tx:
        return int(tx.execute(sqlalchemy.text("SELECT count(*) FROM taskgate_tasks")).scalar_one())


def _expect(found: int, number: int) -> None:
    if found != number:
        raise WrongRun(f"{number} Submits were answered and {found} are on record")


def _apply_async(stock: Stock, number: int) -> float:
    printed: list[tuple[int, int]] = json.loads(stock.run("stock.py", "nothing", str(number), "0"))
    return statistics.median(end - begin for begin, end in printed) / 1e6
