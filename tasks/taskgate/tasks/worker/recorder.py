"""The ends of tasks that simply returned: a worker's main process records many in one statement.

Pool processes and threads send them over a socket that was made before the fork. What does not fit
into it, its sender records alone, so a slow database makes the senders wait and fills no memory.
"""

from __future__ import annotations

import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from celery.utils.log import get_logger

from taskgate.store import queries, transitions
from taskgate.store.database.columns import storable
from taskgate.store.database.engine import Database
from taskgate.store.errors import RecordLocked, StoreUnavailable
from taskgate.store.lifecycle import Reason
from taskgate.store.record import Failure
from taskgate.store.transitions import Success
from taskgate.tasks.recording import FIRST_WAIT, LONGEST_WAIT
from taskgate.tasks.worker.counts import Counts

MOST_AT_ONCE = 500
"""Ends in one statement."""

GATHER_SECONDS = 0.003
"""How long a busy worker's ends wait for others to share a commit with."""

BUSY_SECONDS = 0.01
"""Ends that come so soon after the last commit are those of a busy worker."""

LOCKED_SECONDS = 1.0
"""Between tries to record the ends of tasks whose records someone has locked."""

LONGEST_PACKET = 64 * 1024
_BUFFER_BYTES = 4 * 1024 * 1024  # the system grants less

_HEAD = struct.Struct("!BddIH")
_SUCCESS, _MARK, _STOP = range(3)

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _End:
    """An end that was received: of which attempt, and when its code began."""

    task_id: str
    attempt: int
    result: str
    began_at: float


class SuccessSender:
    """The sending side, for a worker's threads and its forked pool processes."""

    def __init__(self, sending: socket.socket, receiving: socket.socket) -> None:
        self._sending, self._receiving = sending, receiving

    def send(self, task_id: str, attempt: int, result: str, began_at: float) -> bool:
        """Send an end; False if it is too long or there is no room for it, or nobody reads."""
        name = task_id.encode()
        ran = time.monotonic() - began_at
        packet = _HEAD.pack(_SUCCESS, began_at, ran, attempt, len(name)) + name + result.encode()
        return len(packet) <= LONGEST_PACKET and self._send(packet)

    def forked(self) -> None:
        """Call in a forked child: only the main process reads."""
        self._receiving.close()

    def close(self) -> None:
        """Send no more."""
        self._sending.close()

    def send_control(self, kind: int, number: int = 0) -> bool:
        """Send a mark, or have the receiver stop."""
        return self._send(_HEAD.pack(kind, 0.0, 0.0, number, 0))

    def _send(self, packet: bytes) -> bool:
        try:
            self._sending.send(packet, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True


class SuccessRecorder:
    """The receiving side: a thread of the worker's main process."""

    def __init__(self, database: Database, on_run: Callable[[float], None], counts: Counts) -> None:
        """``on_run``: told how many seconds each task took.

        Raises:
            OSError: the system has no such sockets.
        """
        sending, self._socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self.sender = SuccessSender(sending, self._socket)
        self._database = database
        self._on_run = on_run
        self._counts = counts
        self._buffer = memoryview(bytearray(LONGEST_PACKET))
        self._numbers = itertools.count(1)
        self._marks: dict[int, threading.Event] = {}
        self._give_up_at: float | None = None
        self._recorded_at = 0.0
        self._locked: list[_End] = []
        self._thread = threading.Thread(target=self._run, name="taskgate-recorder", daemon=True)

    def start(self) -> None:
        """Begin, once the pool has forked."""
        self._thread.start()

    def settle(self, seconds: float) -> bool:
        """Wait until all that was sent before now is on record; False if that takes longer."""
        if not self._thread.is_alive():
            return True
        number, event = next(self._numbers), threading.Event()
        self._marks[number] = event
        try:
            deadline = time.monotonic() + seconds
            return self._control(_MARK, number, deadline) and event.wait(
                max(deadline - time.monotonic(), 0)
            )
        finally:
            self._marks.pop(number, None)

    def stop(self, seconds: float) -> bool:
        """Record what was sent, then end; whether all of it is on record."""
        if not self._thread.is_alive():
            return True
        deadline = self._give_up_at = time.monotonic() + seconds
        self._control(_STOP, 0, deadline)
        self._thread.join(max(deadline - time.monotonic(), 0))
        return not self._thread.is_alive()

    def close(self) -> None:
        """Close the sockets: ends are no longer taken."""
        self.sender.close()
        self._socket.close()

    def _control(self, kind: int, number: int, deadline: float) -> bool:
        while not self.sender.send_control(kind, number):
            if time.monotonic() >= deadline:
                return False
            time.sleep(FIRST_WAIT)
        return True

    # The thread.

    def _run(self) -> None:
        stopping = False
        while not stopping:
            try:
                stopping = self._step()
            except Exception:
                # Whatever it was, those who run tasks depend on this thread.
                logger.exception("ends of tasks could not be recorded")

    def _step(self) -> bool:
        """Receive what there is and record it; whether to stop."""
        ends: list[_End]
        if self._locked:
            ends, self._locked = self._locked, []
            self._record(self._set_locked_aside(ends))
            if self._locked and not self._has_more(LOCKED_SECONDS):
                return False
        ends = []
        control = self._receive(ends, 0)
        if time.monotonic() - self._recorded_at < BUSY_SECONDS:
            time.sleep(GATHER_SECONDS)  # nobody waits for this thread
        while control is None and len(ends) < MOST_AT_ONCE:
            try:
                control = self._receive(ends, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        self._record(ends)
        self._recorded_at = time.monotonic()
        if control is None:
            return False
        kind, number = control
        if number in self._marks and not self._locked:
            self._marks[number].set()
        if kind == _STOP:
            self._record_locked()
        return kind == _STOP

    def _record_locked(self) -> None:
        """Before the end: as long as there is time, record what someone has locked."""
        while self._locked and time.monotonic() < (self._give_up_at or 0.0):
            ends, self._locked = self._locked, []
            self._record(ends)

    def _has_more(self, seconds: float) -> bool:
        """Whether something can be received within so many seconds."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _receive(self, ends: list[_End], flags: int) -> tuple[int, int] | None:
        """Receive one end, or what else there is: its kind and number."""
        size = self._socket.recv_into(self._buffer, 0, flags)
        kind, began_at, ran, number, length = _HEAD.unpack_from(self._buffer)
        if kind != _SUCCESS:
            return kind, number
        self._on_run(ran)
        result_at = _HEAD.size + length
        task_id = str(self._buffer[_HEAD.size : result_at], "utf-8")
        ends.append(_End(task_id, number, str(self._buffer[result_at:size], "utf-8"), began_at))
        return None

    def _record(self, ends: Sequence[_End]) -> None:
        """Record the ends; tries until the database answers, or the worker has to stop."""
        wait, is_repeated = FIRST_WAIT, False
        while ends:
            try:
                recorded = self._try_to_record(ends)
            except RecordLocked:
                ends, is_repeated = self._set_locked_aside(ends), True
                continue
            except StoreUnavailable as exc:
                logger.warning("%d ends of tasks wait to be recorded: %s", len(ends), exc)
                if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                    raise
                time.sleep(wait)
                wait, is_repeated = min(2 * wait, LONGEST_WAIT), True
                continue
            for end in ends:
                # Repeated, it may have been recorded by the try that was not confirmed.
                if end.task_id not in recorded and not is_repeated:
                    logger.warning(
                        "task %s: attempt %d has ended otherwise", end.task_id, end.attempt
                    )
            return

    def _set_locked_aside(self, ends: Sequence[_End]) -> list[_End]:
        """The ends that can be recorded now. One that cannot must not hold up the others."""
        try:
            with self._database.autocommit() as tx:
                lockable = queries.lockable(tx, [storable(end.task_id) for end in ends])
        except StoreUnavailable:
            return list(ends)
        free: list[_End] = []
        for end in ends:
            (free if storable(end.task_id) in lockable else self._locked).append(end)
        for end in self._locked:
            logger.warning("the end of task %s waits: someone has locked its record", end.task_id)
        return free

    def _try_to_record(self, ends: Sequence[_End]) -> set[str]:
        try:
            return self._succeed(ends)
        except StoreUnavailable:
            raise
        except Exception as exc:
            if len(ends) > 1:  # one of them is to blame
                return set().union(*(self._try_to_record([end]) for end in ends))
            [end] = ends
            logger.exception("the end of task %s cannot be recorded", end.task_id)
            failure = Failure(Reason.RESULT_NOT_SERIALIZABLE, f"it cannot be recorded: {exc!r}")
            with self._database.write() as tx:
                transitions.fail(tx, end.task_id, end.attempt, failure)
            return {end.task_id}

    def _succeed(self, ends: Sequence[_End]) -> set[str]:
        with self._database.autocommit() as tx:
            now = time.monotonic()
            recorded = transitions.succeed_many(
                tx,
                [Success(end.task_id, end.attempt, end.result, now - end.began_at) for end in ends],
            )
        self._counts.end_statements += 1
        self._counts.ends += len(recorded)
        return recorded


def make_recorder(
    database: Database, on_run: Callable[[float], None], counts: Counts
) -> SuccessRecorder | None:
    """The recorder of a worker; None where the system has no sockets for it."""
    with suppress(OSError, AttributeError):
        return SuccessRecorder(database, on_run, counts)
    return None
