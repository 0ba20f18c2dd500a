"""What submits tasks again and again: when it ticks next, and what became of the last tick."""

from __future__ import annotations

from starlette.responses import Response

from taskgate.v1 import schedules_pb2
from taskgate.web.visit import Visit

SCHEDULES = 200


class SchedulesPage:
    """The page."""

    async def page(self, visit: Visit) -> Response:
        """The schedules, by id."""
        request = schedules_pb2.ListSchedulesRequest(page_size=SCHEDULES)
        request.page_token = visit.query.get("page", "")
        answer = await visit.calls.schedules(request)
        return visit.page(
            "schedules.html", schedules=answer.schedules, following=answer.next_page_token
        )
