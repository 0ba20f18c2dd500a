"""What a server process counts of itself.

With ``--processes`` each process writes its numbers to files (prometheus-client's multiprocess
mode), and the parent serves their sums.
"""

from __future__ import annotations

from functools import lru_cache

import grpc
from prometheus_client import Counter, Histogram

_CALL_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0),
)

# Names and labels that boards for gRPC servers look for.
_HANDLED = Counter(
    "grpc_server_handled",
    "Calls that were answered, by the code of the answer.",
    ["grpc_service", "grpc_method", "grpc_code"],
)
_HANDLING = Histogram(
    "grpc_server_handling_seconds",
    "How long calls took, with the time for which Get and Watch waited.",
    ["grpc_service", "grpc_method"],
    buckets=_CALL_BUCKETS,
)
_BATCHES = Histogram(
    "taskgate_batch_calls",
    "How many calls shared a statement of the database.",
    ["batcher"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)

MOST_SERIES = 1_000


def call_ended(method: str, code: grpc.StatusCode, seconds: float) -> None:
    """Count a call. ``method``: such as ``/taskgate.v1.TaskService/Get``."""
    handled, handling = _of_call(method, code)
    handled.inc()
    handling.observe(seconds)


def batch_done(batcher: str, calls: int) -> None:
    """Count a batch of calls that shared a statement."""
    _batch(batcher).observe(calls)


# Looking for labels each time takes longer than counting.


@lru_cache(MOST_SERIES)
def _of_call(method: str, code: grpc.StatusCode) -> tuple[Counter, Histogram]:
    service, _, name = method.strip("/").rpartition("/")
    handled = _HANDLED.labels(service, name, code.name)
    return handled, _HANDLING.labels(service, name)


@lru_cache(MOST_SERIES)
def _batch(batcher: str) -> Histogram:
    return _BATCHES.labels(batcher)
