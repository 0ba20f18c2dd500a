"""The client: a connection to a taskgate server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from taskgate.client.calls import Caller
from taskgate.client.channel import open_channel
from taskgate.client.handle import TaskHandle
from taskgate.client.values import arguments_json, to_duration, to_timestamp
from taskgate.v1 import task_service_pb2


class Client:
    """A connection to a taskgate server.

    A call that finds the server away is repeated for a few seconds, and is safe to be repeated by
    you too. Usable by many threads; close it, or use it in a ``with``.
    """

    def __init__(
        self,
        target: str,
        *,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | Path | None = None,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Connect to ``host:port``; the first call notices if nobody is there.

        Args:
            target: the server's address, ``host:port``.
            token: the bearer token, for servers that want one.
            tls: use TLS and trust the system's authorities; implied by the other TLS options.
            tls_ca: use TLS and trust the authorities in this PEM file.
            tls_cert: the client's certificate (PEM), for servers that want one.
            tls_key: its key (PEM).
            timeout: how long a call may take, in seconds, repetitions included.

        Raises:
            OSError: a TLS file cannot be read.
            ValueError: the token cannot be sent.
        """
        self._channel = open_channel(
            target, tls=tls, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key
        )
        self._caller = Caller(self._channel, token, timeout)

    def submit(  # noqa: PLR0913 - as many as a submission has options
        self,
        task_type: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        queue: str = "",
        priority: int | None = None,
        delay: float | None = None,
        schedule_time: datetime | None = None,
        ttl: float | None = None,
        expire_time: datetime | None = None,
        run_timeout: float | None = None,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> TaskHandle:
        """Have a task run: once this returned, it is on the server's disk and will run.

        Args:
            task_type: the Celery name of the function, ``demo.add``.
            args: the positional arguments, JSON values.
            kwargs: the keyword arguments, JSON values.
            queue: the queue; the task type's own if empty.
            priority: from 0 to 9; 9 goes first.
            delay: seconds to wait before it runs.
            schedule_time: when to run it, instead of ``delay``.
            ttl: seconds after it is due when it expires if it has not started.
            expire_time: when it expires if it has not started, instead of ``ttl``.
            run_timeout: seconds that one attempt may run.
            labels: to find it by.
            request_id: submits with the same id give the same task. A new one is made if None:
                then this call may be repeated on the way, but calling again is a new task.

        Raises:
            TypeError: an argument has no JSON form.
            ValueError: an argument is not finite, or contains itself.
            TaskTypeUnknown: no worker has registered the task type.
            ArgumentsInvalid: the arguments do not fit it.
            RequestIdReused: the request id was used for something else.
            TaskgateError: anything else went wrong.
        """
        request = task_service_pb2.SubmitRequest(
            task_type=task_type,
            arguments_json=arguments_json(args, kwargs or {}),
            queue=queue,
            priority=priority,
            delay=to_duration(delay),
            schedule_time=to_timestamp(schedule_time),
            ttl=to_duration(ttl),
            expire_time=to_timestamp(expire_time),
            run_timeout=to_duration(run_timeout),
            labels=labels,
            request_id=request_id or str(uuid.uuid4()),
        )
        response = self._caller.call(self._caller.stub.Submit, request)
        return TaskHandle.of(self._caller, response.task)

    def task(self, task_id: str) -> TaskHandle:
        """A handle of a task that was submitted before; asks the server nothing."""
        return TaskHandle(self._caller, task_id)

    def close(self) -> None:
        """Close the connection; handles made by this client end with it."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
