"""The lines of a batch: each a JSON object with the fields of a submission."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from taskgate.cli.arguments import parse_json
from taskgate.cli.times import SECONDS
from taskgate.client import RetryPolicy, Submission, Unique


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is no submission."""

    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the batch that is not empty."""

    number: int
    """Counted from 1."""
    meant: Submission | Malformed


def read_lines(source: Iterable[bytes]) -> Iterator[Line]:
    """The lines in their order."""
    for number, text in enumerate(source, start=1):
        if text.strip():
            yield Line(number, _parse(text))


def _parse(text: bytes) -> Submission | Malformed:
    try:
        values = parse_json(text)
        read = _read(values, _FIELDS, "a submission")
        if "task_type" not in read:
            return Malformed("task_type is missing")
        submission = Submission(**read)
        submission.message()  # what protobuf cannot carry is this line's error, not the batch's
    except click.UsageError as error:
        return Malformed(error.message)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        return Malformed(str(error))
    return submission


def _read(given: Any, readers: Mapping[str, Callable[[Any], Any]], what: str) -> dict[str, Any]:
    values = _of(given, dict, f"an object with the fields of {what}")
    read = {}
    for name, value in values.items():
        if name not in readers:
            raise ValueError(f"{name!r} is no field of {what}{_hint(name, readers)}")
        if value is None:
            continue
        try:
            read[name] = readers[name](value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from error
        except click.BadParameter as error:
            raise ValueError(f"{name}: {error.message}") from error
    return read


def _hint(name: str, names: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _text(value: Any) -> str:
    return str(_of(value, str, "text"))


def _list(value: Any) -> list[Any]:
    return list(_of(value, list, "a list"))


def _object(value: Any) -> dict[str, Any]:
    return dict(_of(value, dict, "an object"))


def _texts(value: Any) -> dict[str, str]:
    return {name: _text(one) for name, one in _object(value).items()}


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 - told as the others
    return int(_of(value, int, "a whole number"))


def _seconds(value: Any) -> float:
    return SECONDS.convert(str(_of(value, (int, float, str), "a duration")), None, None)


def _time(value: Any) -> datetime:
    time = datetime.fromisoformat(_text(value))
    return time if time.tzinfo else time.astimezone()


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _number(value: Any) -> float:
    return float(_of(value, (int, float), "a number"))


def _flag(value: Any) -> bool:
    return bool(_of(value, bool, "true or false"))


def _retry_policy(value: Any) -> RetryPolicy:
    return RetryPolicy(**_read(value, _POLICY_FIELDS, "a retry_policy"))


def _unique(value: Any) -> Unique:
    return Unique(**_read(value, _UNIQUE_FIELDS, "a unique"))


def _until(value: Any) -> str:
    if value not in ("START", "END"):
        raise ValueError(f"{value!r} is neither START nor END")
    return _text(value)


def _of(value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is not {what}")  # noqa: TRY004 - told as the others
    return value


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "task_type": _text,
    "args": _list,
    "kwargs": _object,
    "queue": _text,
    "priority": _whole,
    "delay": _seconds,
    "schedule_time": _time,
    "ttl": _seconds,
    "expire_time": _time,
    "run_timeout": _seconds,
    "retry_policy": _retry_policy,
    "labels": _texts,
    "unique": _unique,
    "request_id": _text,
}

_UNIQUE_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "key": _text,
    "until": _until,
    "ttl": _seconds,
    "answer_holder": _flag,
}

_POLICY_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "max_attempts": _whole,
    "initial_backoff": _seconds,
    "backoff_multiplier": _number,
    "max_backoff": _seconds,
    "jitter": _flag,
    "non_retryable_errors": _names,
}
