"""What is going on, as the API's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from taskgate.server.text import printable
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.stats import Activity, Count
from taskgate.v1 import stats_pb2, task_pb2


def activity_message(activity: Activity, read_at: datetime) -> stats_pb2.Activity:
    """What tasks do; ages are those at the time of the reading."""
    live, ended = activity.live, activity.ended
    message = stats_pb2.Activity(
        scheduled=live.get(State.SCHEDULED, 0),
        queued=live.get(State.QUEUED, 0),
        running=live.get(State.RUNNING, 0),
        retrying=live.get(State.RETRYING, 0),
        aborting=live.get(State.ABORTING, 0),
        last_minute=stats_pb2.Rates(
            submits=activity.submits,
            starts=activity.starts,
            successes=ended.get(State.SUCCEEDED, 0),
            failures=ended.get(State.FAILED, 0),
            aborts=ended.get(State.ABORTED, 0),
            expiries=ended.get(State.EXPIRED, 0),
        ),
    )
    if activity.oldest is not None:
        message.oldest_age.FromTimedelta(max(read_at - activity.oldest, timedelta(0)))
    return message


def state_messages(
    activity: Activity, final: Mapping[State, Count]
) -> Sequence[stats_pb2.StateCount]:
    """How many tasks are in each state, in the order of a task's life.

    ``final``: empty if it is not known, and then left out.
    """
    live = {state: Count(number, is_estimate=False) for state, number in activity.live.items()}
    counts = {**live, **final}
    nothing = Count(0, is_estimate=False)
    return [
        stats_pb2.StateCount(
            state=task_pb2.TaskState.Value(f"TASK_STATE_{state}"),
            tasks=counts.get(state, nothing).tasks,
            estimated=counts.get(state, nothing).is_estimate,
        )
        for state in State
        if final or state not in FINAL
    ]


def type_message(task_type: str, activity: Activity, read_at: datetime) -> stats_pb2.TypeStats:
    """A task type's tasks."""
    return stats_pb2.TypeStats(
        task_type=printable(task_type), activity=activity_message(activity, read_at)
    )
