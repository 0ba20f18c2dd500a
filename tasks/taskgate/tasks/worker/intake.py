"""Taking tasks in: a worker's main process claims many attempts in one statement.

It stands where Celery would give a received request to the pool. Whatever has come while one claim
was being committed is claimed by the next. What was claimed, or only taken, and cannot start soon
is given back, so that a long task does not hold up short ones that were taken behind it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery.utils.log import get_logger
from celery.worker import state as worker_state

from taskgate.store import pauses, queries, transitions
from taskgate.store.database.columns import storable
from taskgate.store.errors import RecordLocked, StoreUnavailable
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.outbox import Subqueue
from taskgate.store.record import Task
from taskgate.store.transitions import Claim
from taskgate.tasks import handover
from taskgate.tasks.attempt import LEASE_SECONDS, PAUSED, why_not
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.base import TaskgateTask
from taskgate.tasks.handover import Handover
from taskgate.tasks.messages import ATTEMPT_HEADER
from taskgate.tasks.recording import Recorder
from taskgate.tasks.worker import identity
from taskgate.tasks.worker.counts import Counts
from taskgate.tasks.worker.look_ahead import AHEAD_SECONDS, LookAhead

LONGEST_HELD_SECONDS = 1.0
"""How long what was taken ahead may wait for a slot of the pool."""

NO_ROOM_SECONDS = 0.005
"""How long to wait for room before the next look."""

MOST_AT_ONCE = 500
"""Claims in one statement."""

OTHERS_SECONDS = 60.0
"""How long a message of another producer keeps the worker from looking ahead."""

GATHER_SECONDS = 0.003
"""How long messages that were taken ahead wait for others to share a commit with."""

BUSY_SECONDS = 0.01
"""What comes so soon after the last claim comes to a busy worker."""

STOP_SECONDS = 5.0

logger = get_logger(__name__)

Key = tuple[str, int]
"""Of an attempt: its task's id, as it is on record, and its number."""


@dataclass(eq=False, slots=True)
class _Held:
    """An attempt that was claimed and has not started."""

    request: Any
    claim: Claim
    at: float


class Intake:
    """Claims for a prefork pool on an event loop, or for a pool of threads."""

    def __init__(
        self,
        worker: Any,
        recorder: Recorder,
        look_ahead: LookAhead,
        given_back: Callable[[], None],
        counts: Counts,
    ) -> None:
        """``given_back``: told that something was, and has to be published."""
        self._worker = worker
        self._recorder = recorder
        self._look_ahead = look_ahead
        self._prefetch = _Prefetch(worker)
        self._given_back = given_back
        self._counts = counts
        self._lock = threading.Lock()
        self._waiting: deque[tuple[float, Any]] = deque()
        self._held: dict[Key, _Held] = {}
        self._returned: list[_Held] = []
        self._won: deque[_Held] = deque()
        self._uncertain: set[Key] = set()
        self._latest_claim: datetime | None = None
        self._claimed_at = 0.0
        self._others_until = 0.0
        self._is_open = True
        self._loop = Loop("intake", self._step, longest_backoff=LONGEST_HELD_SECONDS)

    def start(self) -> None:
        """Take the place of what Celery calls with each request."""
        self._worker.consumer.on_task_request = self.receive
        self._loop.start()

    def close(self) -> None:
        """Start nothing more."""
        with self._lock:
            self._is_open = False

    def stop(self) -> None:
        """Claim nothing more; give back at once what has not started."""
        self.close()
        self._loop.stop(STOP_SECONDS)
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        _put_back(request for _, request in waiting)
        try:
            self._give_back(older_than=0.0)
        except StoreUnavailable as exc:
            logger.warning("what did not start is given back when the worker has ended: %s", exc)

    def holds(self) -> set[str]:
        """The tasks whose attempts were claimed and have not started."""
        with self._lock:
            returned = {one.claim.task_id for one in self._returned}
            return {task_id for task_id, _ in self._held} | returned

    # The formal model's step Deliver.
    def receive(self, request: Any) -> None:
        """Take a request in. Those of other producers are the pool's at once."""
        if not _is_ours(request):
            self._others_until = time.monotonic() + OTHERS_SECONDS
            self._worker.process_task(request)
            return
        if request.revoked():
            return
        with self._lock:
            self._waiting.append((time.monotonic(), request))
        self._loop.wake()

    # The loop that claims.

    def _step(self) -> float | None:
        self._mind_what_waits()
        if self._look_ahead.per_slot and time.monotonic() - self._claimed_at < BUSY_SECONDS:
            time.sleep(GATHER_SECONDS)  # what was taken ahead is in no hurry
        batch = self._take_waiting()
        if batch:
            try:
                self._claim(batch)
                self._claimed_at = time.monotonic()
            except RecordLocked:
                self._uncertain.update(_key(request) for request in batch)
                self._wait_again(self._without_locked(batch))
            except StoreUnavailable:
                self._uncertain.update(_key(request) for request in batch)
                self._wait_again(batch)
                raise
            except Exception:
                logger.exception("%d attempts could not be claimed together", len(batch))
                self._on_loop(self._each_for_itself, batch)
        return self._pause()

    def _mind_what_waits(self) -> None:
        with self._lock:
            oldest = next(iter(self._held.values()), None)
        if oldest is not None and (waited := time.monotonic() - oldest.at) > AHEAD_SECONDS:
            self._look_ahead.observe(waited)  # the slots are busy with something longer
        self._prefetch.set_ahead(self._look_ahead.per_slot if self._may_look_ahead() else 0)
        self._give_back(older_than=LONGEST_HELD_SECONDS)
        self._on_loop(_put_back, self._take_surplus())

    def _may_look_ahead(self) -> bool:
        """Whether all that is taken ahead can be given back in time.

        Not what other producers sent, nor what waits for its task type's rate limit.
        """
        has_limits = any(self._worker.consumer.task_buckets.values())
        return not has_limits and time.monotonic() > self._others_until

    def _pause(self) -> float | None:
        with self._lock:
            if self._waiting and self._is_open:
                return 0.0 if self._room() > 0 else NO_ROOM_SECONDS
            oldest = next(iter(self._held.values()), None)
        if oldest is None:
            return None
        waited = time.monotonic() - oldest.at
        return AHEAD_SECONDS if waited < AHEAD_SECONDS else LONGEST_HELD_SECONDS / 4

    def _room(self) -> int:
        """How many attempts may be claimed now."""
        most = self._prefetch.slots * (1 + self._look_ahead.per_slot)
        return most - len(worker_state.active_requests) - len(self._held)

    def _take_waiting(self) -> list[Any]:
        with self._lock:
            most = min(len(self._waiting), MOST_AT_ONCE, max(self._room(), 0))
            return [self._waiting.popleft()[1] for _ in range(most if self._is_open else 0)]

    def _take_surplus(self) -> list[Any]:
        """What was taken beyond the pool's own prefetch, and has waited too long to be claimed."""
        before = time.monotonic() - LONGEST_HELD_SECONDS
        with self._lock:
            taken_in = len(worker_state.active_requests) + len(self._held) + len(self._waiting)
            surplus = taken_in - self._prefetch.least
            taken: list[Any] = []
            while surplus > len(taken) and self._waiting and self._waiting[0][0] < before:
                taken.append(self._waiting.popleft()[1])
            return taken

    def _wait_again(self, batch: Iterable[Any]) -> None:
        now = time.monotonic()
        with self._lock:
            self._waiting.extendleft(reversed([(now, request) for request in batch]))

    def _without_locked(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Drop those whose records someone has locked, so that they do not hold up the others.

        Their rows stay in the outbox, and will be published again as those of lost messages are.
        """
        try:
            with self._recorder.database.autocommit() as tx:
                lockable = queries.lockable(tx, [_key(request)[0] for request in batch])
        except StoreUnavailable:
            return batch
        locked = [request for request in batch if _key(request)[0] not in lockable]
        reason = "someone has locked its record; it will be published again"
        self._on_loop(_drop, [(request, reason) for request in locked])
        return [request for request in batch if _key(request)[0] in lockable]

    def _claim(self, batch: Sequence[Any]) -> None:
        wanted: dict[Key, Any] = {}
        doubled = [one for one in batch if wanted.setdefault(_key(one), one) is not one]
        won, found, paused = self._try_to_claim(list(wanted))
        self._counts.claim_statements += 1
        self._counts.claims += len(won)
        at = time.monotonic()
        held = [_Held(wanted[key], claim, at) for key, claim in won.items()]
        with self._lock:
            self._held.update((_key_of(one.claim), one) for one in held)
        self._uncertain.difference_update(wanted)
        self._hand_on(held)
        self._advance_watermarks(won.values())
        again, lost = [], [(one, "it was delivered twice") for one in doubled]
        for key, request in wanted.items():
            if key in won:
                continue
            task = found.get(key[0])
            if key[0] in paused:
                lost.append((request, PAUSED))
            elif _waits(key, task):
                again.append(request)  # ours, but for the lease: it was ended while we were cut off
            else:
                lost.append((request, why_not(key[1], task)))
        self._counts.lost_claims += len(lost)
        if lost:
            self._on_loop(_drop, lost)
        if again:
            time.sleep(LEASE_SECONDS)
            self._wait_again(again)

    def _try_to_claim(self, keys: list[Key]) -> tuple[dict[Key, Claim], dict[str, Task], set[str]]:
        """The claims won, the tasks of the attempts that were not, and which of these are held."""
        worker_id = identity.worker_id(None)
        with self._recorder.database.autocommit() as tx:
            claims = transitions.claim_many(tx, keys, worker_id)
        won = {_key_of(claim): claim for claim in claims.values()}
        found: dict[str, Task] = {}
        paused: set[str] = set()
        if lost := [key for key in keys if key not in won]:
            with self._recorder.database.read() as tx:
                found = queries.get_many(tx, [task_id for task_id, _ in lost])
            for key in self._uncertain.intersection(lost):
                if claim := self._claimed_after_all(found.get(key[0]), key):
                    won[key] = claim
            if waiting := [key for key in lost if _waits(key, found.get(key[0]))]:
                with self._recorder.database.write() as tx:
                    paused = pauses.hold_claimed(tx, waiting)
        if won:
            self._latest_claim = max(claim.started_at for claim in won.values())
        return won, found, paused

    # The formal model's step RecogniseClaim.
    def _claimed_after_all(self, task: Task | None, key: Key) -> Claim | None:
        """The claim that was committed though the database did not say so.

        It is later than all that were confirmed before: those are running already.
        """
        if task is None or task.state not in ACTIVE or task.started_at is None:
            return None
        if (task.attempt, task.worker) != (key[1], identity.worker_id(None)):
            return None
        if self._latest_claim is not None and task.started_at <= self._latest_claim:
            return None
        return Claim(
            task_id=task.id,
            attempt=task.attempt,
            started_at=task.started_at,
            retries=task.retries,
            max_attempts=task.max_attempts,
            retry_policy=task.retry_policy,
            subqueue=Subqueue(task.queue, task.priority),
            published_at=None,
        )

    def _advance_watermarks(self, claims: Iterable[Claim]) -> None:
        try:
            with self._recorder.database.autocommit() as tx:
                self._recorder.watermarks.advance(tx, claims)
        except StoreUnavailable as exc:
            logger.warning("how far this worker has claimed was not recorded: %s", exc)

    # Starting, and giving back.

    def _hand_on(self, held: list[_Held]) -> None:
        if self._worker.consumer.hub is None or not self._worker.pool.uses_semaphore:
            for one in held:
                self._start_in_thread(one)
            return
        self._won.extend(held)
        if held:
            self._worker.consumer.hub.call_soon(self._wait_for_slots)

    def _wait_for_slots(self) -> None:
        """In the event loop: start what was won as the pool's processes become free."""
        while self._won:
            self._worker.semaphore.acquire(self._start_in_process, self._won.popleft())

    def _start_in_process(self, one: _Held) -> None:
        if not self._begin(one):
            self._worker.semaphore.release()
            return
        handover.put(one.request.request_dict, Handover(one.claim, one.at))
        self._submit(one.request)

    def _start_in_thread(self, one: _Held) -> None:
        # The pool keeps what no thread has begun; the thread that does asks whether it still may.
        given = Handover(one.claim, one.at, lambda: self._begin(one))
        handover.put(one.request.request_dict, given)
        self._submit(one.request)

    def _submit(self, request: Any) -> None:
        request.expires = None  # it was claimed in time
        self._worker._process_task(request)  # noqa: SLF001 - with its slot, or without slots

    # The formal model's step Start.
    def _begin(self, one: _Held) -> bool:
        with self._lock:
            return self._is_open and self._held.pop(_key_of(one.claim), None) is one

    # The formal model's step GiveBack.
    def _give_back(self, older_than: float) -> None:
        """Give back what has waited for so many seconds. It does not start any more.

        Not even where the database does not answer: the attempt may have been given back.
        """
        self._take_held(older_than)
        if not self._returned:
            return
        with self._recorder.database.write() as tx:
            for one in self._returned:
                transitions.give_back(tx, one.claim.task_id, one.claim.attempt)
        with self._lock:
            given_back, self._returned = self._returned, []
        logger.info(
            "%d attempts that could not start are given back, task %s first",
            len(given_back),
            given_back[0].claim.task_id,
        )
        self._on_loop(_drop, [(one.request, None) for one in given_back])
        self._given_back()

    def _take_held(self, older_than: float) -> None:
        before = time.monotonic() - older_than
        with self._lock:
            for key, one in list(self._held.items()):
                if one.at > before:
                    break
                self._returned.append(self._held.pop(key))

    def _each_for_itself(self, batch: Iterable[Any]) -> None:
        for request in batch:
            self._worker.process_task(request)

    def _on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call what touches the broker in the event loop, if there is one."""
        if not any(arguments):
            return
        hub = self._worker.consumer.hub
        if hub is None:
            function(*arguments)
        else:
            hub.call_soon(function, *arguments)


class _Prefetch:
    """How many messages the broker gives the worker before it has finished any."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._consumer_qos: Any = None
        self._ahead = 0

    @property
    def slots(self) -> int:
        """Of the pool: how many tasks it runs at once."""
        return int(self._worker.pool.num_processes)

    @property
    def least(self) -> int:
        """What the worker takes without looking ahead."""
        return int(self._worker.consumer.initial_prefetch_count)

    def set_ahead(self, per_slot: int) -> None:
        """Have the broker give so many more for each slot; soon, by the consumer's loop."""
        qos = self._worker.consumer.qos
        if qos is not self._consumer_qos:  # a new connection begins anew
            self._consumer_qos, self._ahead = qos, 0
        ahead = per_slot * self.slots if self._may_change() else 0
        if qos is None or ahead == self._ahead:
            return
        if ahead > self._ahead:
            qos.increment_eventually(ahead - self._ahead)
        else:
            qos.decrement_eventually(self._ahead - ahead)
        self._ahead = ahead

    def _may_change(self) -> bool:
        # Of quorum queues the count stands once consuming has begun.
        consumer = self._worker.consumer
        is_amqp = consumer.conninfo.transport.driver_type == "amqp"
        return bool(consumer.initial_prefetch_count) and (bool(consumer.qos_global) or not is_amqp)


def _is_ours(request: Any) -> bool:
    is_from_taskgate = request.request_dict.get(ATTEMPT_HEADER) is not None
    return is_from_taskgate and isinstance(request.task, TaskgateTask)


def _waits(key: Key, task: Task | None) -> bool:
    """Whether somebody may still claim the attempt."""
    return task is not None and (task.state, task.attempt) == (State.QUEUED, key[1])


def _key(request: Any) -> Key:
    return storable(request.id), request.request_dict[ATTEMPT_HEADER]


def _key_of(claim: Claim) -> Key:
    return claim.task_id, claim.attempt


# The formal model's step Drop.
def _drop(dropped: Iterable[tuple[Any, str | None]]) -> None:
    """Have done with messages whose attempts do not run here."""
    for request, reason in dropped:
        if reason is not None:
            logger.info("task %s does not run here: %s", request.id, reason)
        worker_state.task_ready(request)
        request.acknowledge()


def _put_back(requests: Iterable[Any]) -> None:
    """Put messages that nobody claimed back into their queues."""
    for request in requests:
        worker_state.task_ready(request)
        if not request.acknowledged:
            request.message.reject_log_error(logger, request.connection_errors, requeue=True)
            request.acknowledged = True
