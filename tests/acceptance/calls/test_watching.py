"""Watch: many watchers, one poller; and a watch that outlives its server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc

from support.deployment import Deployment
from support.records import recorded_statements
from support.requests import submit, watch
from support.serving import SECONDS, InProcessServer, is_unavailable
from support.waiting import wait_until
from taskgate.server.background import watcher
from taskgate.server.settings import ServerSettings
from taskgate.store import queries
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

WATCHERS = 1_000


def test_a_thousand_watchers_cost_one_poller(deployment: Deployment) -> None:
    settings = ServerSettings(
        celery_broker_url=deployment.env["CELERY_BROKER_URL"],
        postgres_url=deployment.env["POSTGRES_URL"],
        taskgate_address="127.0.0.1:0",
    )
    with InProcessServer(settings) as server:
        stub = server.stub()
        ids = [stub.Submit(submit("journal.abortable", 60), timeout=SECONDS).task.id]
        ids += [stub.Submit(submit("typed.hammers", 4), timeout=SECONDS).task.id for _ in range(2)]
        with recorded_statements(server.server._database) as statements:
            begun = time.monotonic()
            ends = asyncio.run(_watch_all(server.address, ids, stub))
            took = time.monotonic() - begun
        polls = [text for text, _ in statements if _is_a_poll(text)]
        reads = [text for text, _ in statements if "FROM taskgate_tasks" in text]
    assert len(ends) == WATCHERS
    assert {tuple(sorted(end.items())) for end in ends} == {tuple(sorted(ends[0].items()))}
    assert set(ends[0].values()) <= {task_pb2.TASK_STATE_SUCCEEDED, task_pb2.TASK_STATE_ABORTED}
    # A new watcher is answered at once; apart from that, a poll a tick is for all of them.
    assert len(polls) <= took / watcher.SHORTEST_TICK + WATCHERS
    assert len(reads) < 4 * WATCHERS, "fewer reads than watchers have tasks and changes"


def _is_a_poll(statement: str) -> bool:
    return "SELECT taskgate_tasks.id, taskgate_tasks.version" in " ".join(statement.split())


async def _watch_all(
    address: str, ids: Sequence[str], stub: TaskServiceStub
) -> list[dict[str, int]]:
    """The final states that each watcher was told of; once all watch, one task is aborted."""
    snapshots = 0
    abort = task_service_pb2.AbortRequest(id=ids[0])
    async with grpc.aio.insecure_channel(address) as channel:
        watching = TaskServiceStub(channel)

        async def follow() -> dict[str, int]:
            nonlocal snapshots
            last: dict[str, task_pb2.Task] = {}
            async for response in watching.Watch(watch(dict.fromkeys(ids, 0)), timeout=90):
                task = response.task
                if task.id in last:
                    assert task.version > last[task.id].version
                elif len(last) == len(ids) - 1:
                    snapshots += 1
                    if snapshots == WATCHERS:
                        await asyncio.to_thread(stub.Abort, abort, timeout=90)
                last[task.id] = task
            assert all(task.HasField("finish_time") for task in last.values())
            return {task_id: task.state for task_id, task in last.items()}

        return await asyncio.gather(*(follow() for _ in range(WATCHERS)))


@dataclass
class Follower:
    """A client that reconnects with the versions it has seen."""

    seen: dict[str, int]
    told: list[task_pb2.Task] = field(default_factory=list)

    def follow(self, stub: TaskServiceStub, until: int) -> None:
        """Read until something was told so often in all, or the server is gone, or the end."""
        try:
            for response in stub.Watch(watch(self.seen), timeout=90, wait_for_ready=True):
                task = response.task
                assert task.version > self.seen[task.id], "told twice, or something old"
                self.seen[task.id] = task.version
                self.told.append(task)
                if len(self.told) == until:
                    return
        except grpc.RpcError as error:
            is_unavailable(error)

    def states(self, task_id: str) -> list[str]:
        return [task_pb2.TaskState.Name(t.state)[11:] for t in self.told if t.id == task_id]


def test_a_watch_goes_on_where_it_was_when_its_server_is_killed(
    own_deployment: Deployment,
) -> None:
    server = own_deployment.start_server()
    own_deployment.start_worker("--concurrency=4")
    stub = own_deployment.stub()
    done = stub.Submit(submit("demo.add"), timeout=SECONDS).task.id
    own_deployment.wait_final(stub, done)
    meanwhile = stub.Submit(submit("journal.run", 3), timeout=SECONDS).task.id
    running = stub.Submit(submit("demo.countdown", 100), timeout=SECONDS).task.id
    wait_until(lambda: bool(own_deployment.journal.words(meanwhile)), 30, "it runs")

    follower = Follower(dict.fromkeys([done, meanwhile, running], 0))
    follower.follow(stub, until=8)
    assert follower.states(done) == ["SUCCEEDED"]
    server.kill()

    def has_ended() -> bool:
        with own_deployment.database.read() as tx:
            return queries.get(tx, meanwhile).is_final

    wait_until(has_ended, 30, "a task ends while there is no server")
    own_deployment.start_server()
    before = len(follower.told)
    follower.follow(stub, until=before + 4)
    stub.Abort(task_service_pb2.AbortRequest(id=running), timeout=SECONDS, wait_for_ready=True)
    follower.follow(stub, until=0)

    assert follower.states(done) == ["SUCCEEDED"], "what is final is told once"
    assert follower.states(meanwhile)[-1] == "SUCCEEDED"
    assert follower.states(running)[-1] == "ABORTED"
    progress = [task.progress.current for task in follower.told if task.id == running]
    assert progress == sorted(progress)
    assert progress[-1] > 0
