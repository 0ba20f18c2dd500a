"""Celery's messages with something changed in them, as no producer would send them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from celery import Celery
from kombu.serialization import dumps

from taskgate.tasks.messages import ATTEMPT_HEADER

LONG = 50_000
DEEP = 100

ODD: Sequence[Any] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 2**70, -(2**70), 1e308, float("nan"), float("inf")),
    *("", "\0", "\ud800", "soon", "-1", "1e999", "x" * 256, "ü" * LONG, "../../etc", "%s%n{0}"),
    *("9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00", "[[], {}, {}]"),
    *([], {}, [[]], {"": None}, [None] * 50, {"__type__": "uuid", "__value__": 1}),
    {"__type__": "datetime", "__value__": "never"},
    {"task": "demo.add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": "chord"},
    {"hostname": 7, "name": ["x"], "delivery_info": None},
)
"""Values that stand where others are expected."""

NAMES = (
    *("id", "task", "args", "kwargs", "eta", "expires", "retries", "timelimit", "group", "chord"),
    *("chain", "callbacks", "errbacks", "root_id", "parent_id", "argsrepr", "kwargsrepr", "utc"),
    *("shadow", "origin", "ignore_result", "stamps", "stamped_headers", "replaced_task_nesting"),
    *("taskset", "reply_to", "correlation_id", "delivery_info", "priority", "body_encoding"),
    *("taskgate_attempt", "taskgate_sent", "taskgate_content_type", "taskgate_canvas", "headers"),
    *("content-type", "content-encoding", "properties", "body", "delivery_tag", "delivery_mode"),
)
"""Keys that mean something somewhere."""

CODINGS = (
    *("application/json", "application/x-python-serialize", "application/data", "text/plain"),
    *("utf-8", "utf-16", "binary", "ascii", "no-such-coding", "base64"),
)


class Mutations:
    """Messages as kombu's virtual transports keep them, of both of Celery's protocols."""

    def __init__(self, app: Celery, seed: int, ids: Sequence[str]) -> None:
        """``ids``: the tasks that the messages are of, as long as that is not changed in them."""
        self._amqp: Any = app.amqp
        self._add = app.signature("demo.add", (1,))
        self._random = Random(seed)
        self._ids = ids

    def __call__(self) -> str:
        """Another message, of which up to three things were changed, or some characters."""
        message = self._good()
        body = json.loads(message["body"])
        for _ in range(self._random.randint(0, 3)):
            self._change([message, *self._containers_in(body)])
        if isinstance(message.get("body"), str):
            message["body"] = base64.b64encode(self._encoded(body)).decode()
        text = json.dumps(message)
        return self._garbled(text) if self._random.random() < 0.1 else text

    def _good(self) -> dict[str, Any]:
        random, add = self._random, self._add
        make = random.choice([self._amqp.as_task_v1, self._amqp.as_task_v2])
        options: dict[str, Any] = random.choice(
            [
                {},
                {"callbacks": [add], "errbacks": [add], "expires": 60},
                {"countdown": 0.1, "time_limit": 9},
                {"group_id": "g", "chord": add, "retries": 2},
            ]
        )
        name, args = random.choice([("demo.add", (1, 2)), ("demo.echo", ("x",)), ("no.such", ())])
        sent = make(random.choice(self._ids), name, args, {}, **options)
        content_type, coding, body = dumps(sent.body, serializer="json")
        properties = {
            **sent.properties,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "celery"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": f"{random.getrandbits(64):x}",
        }
        ours: dict[str, Any] = random.choice([{}, {ATTEMPT_HEADER: 1}, {"taskgate_sent": "once"}])
        return {
            "body": body,
            "content-encoding": coding,
            "content-type": content_type,
            "headers": {**sent.headers, **ours},
            "properties": properties,
        }

    def _change(self, roots: Sequence[Any]) -> None:
        containers = [*roots, *self._containers_in(roots[0])]
        where = self._random.choice(containers)
        if isinstance(where, list):
            where.insert(self._random.randint(0, len(where)), self._odd())
            return
        known = [name for name in where if name != "body"]
        name = self._random.choice([*known, *known, *NAMES])
        if self._random.random() < 0.2:
            where.pop(name, None)
        else:
            where[name] = self._odd()

    def _odd(self) -> Any:
        if self._random.random() < 0.05:
            deep: Any = 1
            for _ in range(DEEP):
                deep = [deep]
            return deep
        return deepcopy(self._random.choice([*ODD, *CODINGS, *self._ids]))

    def _containers_in(self, value: Any) -> Iterator[Any]:
        if isinstance(value, dict | list):
            yield value
            for inner in value.values() if isinstance(value, dict) else value:
                yield from self._containers_in(inner)

    def _encoded(self, body: Any) -> bytes:
        data = json.dumps(body).encode()
        if self._random.random() < 0.1:
            at = self._random.randint(0, len(data))
            data = data[:at] + self._random.randbytes(8) + data[at + 4 :]
        return data

    def _garbled(self, text: str) -> str:
        at = self._random.randint(0, len(text))
        return (
            text[:at]
            + self._random.choice(["", '"', "{", "\\u", "9" * 400, "[" * LONG])
            + text[at + 1 :]
        )
