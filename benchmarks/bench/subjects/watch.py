"""How soon watchers of many tasks hear of one that changes."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from queue import SimpleQueue

import grpc

from bench import setups
from bench.environment import Environment, Scale
from bench.measurements import Row
from bench.subjects.calls import submit_request
from bench.systems import Taskgate
from taskgate.v1 import task_pb2, task_service_pb2

OF_A_STREAM = 1_000
PATIENCE = 60.0
PAUSE = 0.03
"""Between two changes, in seconds, drawn anew each time: no poll keeps step with it."""


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Tasks are aborted one by one; measured from the call to the news of it."""
    with ExitStack() as exits:
        ours, _ = setups.on_redis(environment, exits)
        rounds = [_delays(ours, scale) for _ in range(scale.rounds)]
    title = f"Watch of {scale.watched:,} tasks, single changes"
    p50 = [statistics.median(delays) * 1000 for delays in rounds]
    p99 = [_p99(delays) * 1000 for delays in rounds]
    yield Row(title, "ms, p50", {"taskgate": p50}, less_is_better=True)
    yield Row(title, "ms, p99", {"taskgate": p99}, less_is_better=True)


def _p99(delays: Sequence[float]) -> float:
    return sorted(delays)[int(len(delays) * 0.99)]


def _delays(ours: Taskgate, scale: Scale) -> list[float]:
    with ExitStack() as exits:
        watched = Watched(ours, scale.watched, exits)
        chosen = random.sample(watched.ids, min(scale.samples, scale.watched))
        return [watched.abort(task_id) for task_id in chosen]


class Watched:
    """Tasks that wait, in streams of a thousand each."""

    def __init__(self, ours: Taskgate, number: int, exits: ExitStack) -> None:
        self._stub = ours.deployment.stub()
        self._heard: SimpleQueue[tuple[task_pb2.Task, float]] = SimpleQueue()
        self.ids = self._submit(number)
        for first in range(0, number, OF_A_STREAM):
            self._watch(self.ids[first : first + OF_A_STREAM], exits)
        for _ in self.ids:  # each task as it is
            self._heard.get(timeout=PATIENCE)

    def abort(self, task_id: str) -> float:
        """Abort one; how long it takes until the stream says so, in seconds."""
        time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        begun_at = time.monotonic()
        self._stub.Abort(task_service_pb2.AbortRequest(id=task_id), timeout=PATIENCE)
        while True:
            task, heard_at = self._heard.get(timeout=PATIENCE)
            if task.id == task_id and task.state == task_pb2.TASK_STATE_ABORTED:
                return heard_at - begun_at

    def _submit(self, number: int) -> list[str]:
        ids: list[str] = []
        while len(ids) < number:
            requests = [submit_request()] * min(OF_A_STREAM, number - len(ids))
            batch = task_service_pb2.SubmitBatchRequest(requests=requests)
            answer = self._stub.SubmitBatch(batch, timeout=PATIENCE)
            ids += [result.task.id for result in answer.results]
        return ids

    def _watch(self, ids: Iterable[str], exits: ExitStack) -> None:
        request = task_service_pb2.WatchRequest()
        for task_id in ids:
            request.tasks.add(id=task_id)
        stream = self._stub.Watch(request)
        exits.callback(stream.cancel)
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: Iterable[task_service_pb2.WatchResponse]) -> None:
        with suppress(grpc.RpcError):  # it is cancelled at the end
            for answer in stream:
                self._heard.put((answer.task, time.monotonic()))
