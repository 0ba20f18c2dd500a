"""Request batching: what arrives while a batch is worked on goes into the next. There is no timer.

One thread works, and wakes the event loop once for all whom it answers: a wake-up for each, as an
executor does it, costs more than most of the work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from taskgate.server.metrics import instruments
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks.background.loop import Loop

logger = logging.getLogger(__name__)

MOST_SECONDS = 30.0
"""A database that froze keeps the thread; the callers are answered."""

BUSY = 0.7
"""The share of a core from which on a process counts as busy: Python has one core to use."""

SHARE_SECONDS = 0.1
"""Over how long that is measured, at least."""

GATHER_SECONDS = 0.005
"""A batch of a busy process waits so long for more callers, and again while more come."""

GATHER_TIMES = 5

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Pending(Generic[Item, Answer]):
    """What one caller asked for, and waits for."""

    item: Item
    answer: asyncio.Future[Answer]

    def resolve(self, answer: Answer | Exception) -> None:
        """Answer the caller, unless it has gone."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class _Cpu:
    """How busy this process is."""

    def __init__(self) -> None:
        self._read()
        self._is_busy = False

    def is_busy(self) -> bool:
        """Whether it used most of a core lately."""
        seconds = time.monotonic() - self._read_at
        if seconds >= SHARE_SECONDS:
            used = self._used
            self._read()
            self._is_busy = self._used - used >= BUSY * seconds
        return self._is_busy

    def _read(self) -> None:
        self._read_at, self._used = time.monotonic(), time.process_time()


class Batcher(Generic[Item, Answer]):
    """Hands what many coroutines ask for to one function, as many at once as there are."""

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Answer | Exception]],
        *,
        most: int,
        size: Callable[[Item], int] = lambda _: 1,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """``work``: runs in the thread; an answer or an error for each item, in their order.

        ``most``: of what ``size`` counts, in a batch; a single item may be larger. ``after``: runs
        in the thread when the callers have been answered.
        """
        self.most = most
        self._work = work
        self._size = size
        self._after = after
        self._cpu = _Cpu()
        self._had_company = False
        self._pending: deque[_Pending[Item, Answer]] = deque()
        self.loop = Loop(name, self._step, is_idle=lambda: not self._pending)

    async def ask(self, item: Item) -> Answer:
        """What the function answers for the item.

        Raises:
            StoreUnavailable: it takes longer than ``MOST_SECONDS``.
            Exception: what the function answers with.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        pending = _Pending(item, answer)
        self._pending.append(pending)
        self.loop.wake()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await pending.answer
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database took longer than {MOST_SECONDS:g} s") from exc

    def _step(self) -> float | None:
        if self._had_company and self._cpu.is_busy():
            self._gather()
        batch = self._take()
        self._had_company = len(batch) > 1
        if batch:
            _answer(batch, self._answers(batch))
            instruments.batch_done(self.loop.name, len(batch))
            self._after()
        return 0.0 if self._pending else None

    def _gather(self) -> None:
        """Wait while more callers come.

        A busy event loop hands callers on one by one, and each batch, however small, takes time
        from it: Submits are 1.6 times as many a second with batches of 30 as with batches of 8.
        """
        for _ in range(GATHER_TIMES):
            number = len(self._pending)
            time.sleep(GATHER_SECONDS)
            if len(self._pending) == number:
                return

    def _take(self) -> list[_Pending[Item, Answer]]:
        """The next batch, without what nobody waits for any more."""
        batch: list[_Pending[Item, Answer]] = []
        room = self.most
        while self._pending:
            size = self._size(self._pending[0].item)
            if batch and size > room:
                break
            pending = self._pending.popleft()
            if not pending.answer.cancelled():
                batch.append(pending)
                room -= size
        return batch

    def _answers(self, batch: Sequence[_Pending[Item, Answer]]) -> Sequence[Answer | Exception]:
        try:
            return self._work([pending.item for pending in batch])
        except Exception as exc:  # noqa: BLE001 - answered to the waiting callers
            return [exc for _ in batch]


# The formal model's step Answer.
def _answer(batch: Sequence[_Pending[Item, Answer]], answers: Sequence[Answer | Exception]) -> None:
    def resolve() -> None:
        for pending, answer in zip(batch, answers, strict=True):
            pending.resolve(answer)

    try:
        batch[0].answer.get_loop().call_soon_threadsafe(resolve)
    except RuntimeError:  # the loop is closed, and with it every call that waited
        logger.warning("nobody waits any more for what was worked on")
