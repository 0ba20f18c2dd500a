"""The calls about many tasks: pauses."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from taskgate.client.connection import Connection
from taskgate.client.listing import pages
from taskgate.client.pauses import Pause, pause_from_message
from taskgate.v1 import pauses_pb2


class Steering(Connection):
    """What ``AsyncClient`` can do with many tasks at once."""

    async def pause(
        self, *, queue: str | None = None, task_type: str | None = None, reason: str = ""
    ) -> Pause:
        """Have nothing new of a queue, or of a task type, start; what runs goes on.

        Returns the pause on record: the earlier one, if it was paused already.

        Raises:
            ValueError: neither or both are given.
            InvalidRequest: nobody knows it.
            TaskgateError: anything else went wrong.
        """
        request = pauses_pb2.PauseRequest(reason=reason, **_target(queue, task_type))
        answer = await self._caller.call(self._caller.stub.Pause, request)
        return pause_from_message(answer.pause)

    async def resume(self, *, queue: str | None = None, task_type: str | None = None) -> bool:
        """End a pause; False if there was none.

        Raises:
            ValueError: neither or both are given.
            TaskgateError: anything else went wrong.
        """
        request = pauses_pb2.ResumeRequest(**_target(queue, task_type))
        return (await self._caller.call(self._caller.stub.Resume, request)).was_paused

    async def pauses(self) -> AsyncGenerator[Pause]:
        """What is paused, queues first.

        Raises:
            TaskgateError: the call was refused.
        """
        async for page in pages(self._list_pauses, pauses_pb2.ListPausesRequest()):
            for message in page.pauses:
                yield pause_from_message(message)

    async def _list_pauses(
        self, request: pauses_pb2.ListPausesRequest
    ) -> pauses_pb2.ListPausesResponse:
        return await self._caller.call(self._caller.stub.ListPauses, request)


def _target(queue: str | None, task_type: str | None) -> dict[str, str]:
    given = {"queue": queue, "task_type": task_type}
    target = {field: name for field, name in given.items() if name is not None}
    if len(target) != 1:
        raise ValueError("give queue or task_type, one of them")
    return target
