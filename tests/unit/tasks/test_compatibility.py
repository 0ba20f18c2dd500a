"""Which changes of a signature break callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from taskgate.tasks.compatibility import breaking_change
from taskgate.tasks.signature import Parameters


def definition(function: Callable[..., Any]) -> dict[str, Any]:
    parameters, shared = Parameters(function, typed=True).definition()
    return {"parameters": parameters, "defs": shared}


def taking(annotation: Any) -> Callable[..., Any]:
    def function(x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, RUF100
        return x

    function.__annotations__["x"] = annotation
    return function


def model(**fields: Any) -> type[BaseModel]:
    made: type[BaseModel] = create_model("Order", **fields)
    return made


@dataclass
class Node:
    value: int
    children: list[Node]


SAME = model(item=(str, ...), count=(int, 1))
MORE = model(item=(str, ...), count=(int, 1), note=(str, ""))
STRICTER = model(item=(str, ...), count=(int, ...))
CLOSED: type[BaseModel] = create_model(
    "Order", __config__={"extra": "forbid"}, item=(str, ...), count=(int, 1)
)

WIDER: list[tuple[Any, Any]] = [
    (int, int),
    (int, float),
    (int, int | None),
    (int, int | str),
    (int | None, str | int | None),
    (str, Any),
    (list[int], list[float]),
    (list[int], list[int] | None),
    (SAME, MORE),
    (STRICTER, SAME),
    (CLOSED, SAME),
    (Node, Node),
    (dict[str, int], dict[str, int]),
]

NARROWER: list[tuple[Any, Any]] = [
    (float, int),
    (int | None, int),
    (Any, int),
    (int, str),
    (list[float], list[int]),
    (str, Literal["a", "b"]),
    (SAME, STRICTER),
    (SAME, CLOSED),
    (SAME, model(item=(int, ...), count=(int, 1))),
    (SAME, make_dataclass("Order", [("item", str), ("other", int)])),
    (int, model(item=(str, ...))),
    (list[SAME], list[STRICTER]),  # type: ignore[valid-type]
]


@pytest.mark.parametrize(("old", "new"), WIDER)
def test_a_type_that_takes_as_much(old: Any, new: Any) -> None:
    assert breaking_change(definition(taking(old)), definition(taking(new))) is None


@pytest.mark.parametrize(("old", "new"), NARROWER)
def test_a_type_that_takes_less(old: Any, new: Any) -> None:
    problem = breaking_change(definition(taking(old)), definition(taking(new)))
    assert problem is not None
    assert problem.startswith("x has become {")


def base(x: int, y: int = 2, *, z: int = 3) -> None: ...
def other_default(x: int, y: int = 4, *, z: int = 3) -> None: ...
def one_more_at_the_end(x: int, y: int = 2, w: int = 4, *, z: int = 3, v: int = 1) -> None: ...
def named_too(x: int, y: int = 2, z: int = 3) -> None: ...
def rest(x: int, y: int = 2, *args: int, z: int = 3, **kwargs: int) -> None: ...
def no_longer_required(x: int = 1, y: int = 2, *, z: int = 3) -> None: ...


def gone(x: int, *, z: int = 3) -> None: ...
def required(x: int, y: int, *, z: int = 3) -> None: ...
def new_and_required(x: int, y: int = 2, *, z: int = 3, w: int) -> None: ...
def only_by_position(x: int, /, y: int = 2, *, z: int = 3) -> None: ...
def only_by_name(x: int, *, y: int = 2, z: int = 3) -> None: ...
def moved(y: int = 2, x: int = 1, *, z: int = 3) -> None: ...
def one_more_in_front(w: int = 0, x: int = 1, y: int = 2, *, z: int = 3) -> None: ...


@pytest.mark.parametrize(
    "new", [base, other_default, one_more_at_the_end, named_too, rest, no_longer_required]
)
def test_a_signature_that_takes_as_much(new: Callable[..., Any]) -> None:
    assert breaking_change(definition(base), definition(new)) is None


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (gone, "y is gone"),
        (required, "y has become required"),
        (new_and_required, "w is new and required"),
        (only_by_position, "x has become POSITIONAL_ONLY"),
        (only_by_name, "y has become KEYWORD_ONLY"),
        (moved, "x has moved among the positional parameters"),
        (one_more_in_front, "x has moved among the positional parameters"),
    ],
)
def test_a_signature_that_takes_less(new: Callable[..., Any], problem: str) -> None:
    assert breaking_change(definition(base), definition(new)) == problem


def test_bounds_that_change_are_told() -> None:
    class Bounded(BaseModel):
        count: int = Field(le=10)

    class Loose(BaseModel):
        count: int

    old, new = definition(taking(Bounded)), definition(taking(Loose))
    assert breaking_change(old, new), "wider, but that cannot be seen from the schemas' shapes"
    assert breaking_change(new, old)
