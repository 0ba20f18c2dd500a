from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from taskgate.tasks.signature import ArgumentsInvalid, Parameters


@dataclass
class Point:
    x: int
    y: int = 0


class Line(BaseModel):
    start: Point
    end: Point


def every_kind(
    first: int,
    /,
    second: str = "b",
    *rest: float,
    named: bool,
    other: Line | None = None,
    **more: int,
) -> None: ...


def unannotated(a, b=1):  # type: ignore[no-untyped-def]
    ...


def unsupported(a: Parameters, b: int) -> None: ...


class Bound:
    def run(self, a: int) -> None: ...


def kinds(function: Any) -> list[tuple[str, str, bool]]:
    parameters, _ = Parameters(function, typed=True).definition()
    return [(p["name"], p["kind"], p["required"]) for p in parameters]


def test_each_kind_of_parameter() -> None:
    assert kinds(every_kind) == [
        ("first", "POSITIONAL_ONLY", True),
        ("second", "POSITIONAL_OR_KEYWORD", False),
        ("rest", "VAR_POSITIONAL", False),
        ("named", "KEYWORD_ONLY", True),
        ("other", "KEYWORD_ONLY", False),
        ("more", "VAR_KEYWORD", False),
    ]


def test_a_signature_is_readable_and_alike_in_every_process() -> None:
    shown = str(Parameters(every_kind, typed=True))
    assert shown == (
        "(first: int, /, second: str = 'b', *rest: float, named: bool, "
        "other: Line | None = None, **more: int)"
    )
    assert str(Parameters(every_kind, typed=False)).startswith("(first, /, second='b', *rest,")
    address = Parameters(lambda at=object(): at, typed=True)  # noqa: B008 - the default is the case
    assert str(address) == "(at=…)"


def test_schemas_share_their_definitions() -> None:
    parameters, defs = Parameters(every_kind, typed=True).definition()

    by_name = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert by_name["first"]["type"] == "integer"
    assert {"$ref": "#/$defs/Line"} in by_name["other"]["anyOf"]
    assert set(defs) == {"Line", "Point"}


def test_self_is_no_parameter() -> None:
    assert kinds(Bound().run) == [("a", "POSITIONAL_OR_KEYWORD", True)]


def test_what_is_not_annotated_can_be_anything() -> None:
    parameters, _ = Parameters(unannotated, typed=True).definition()

    assert parameters[0]["schema"] == {}
    assert Parameters(unannotated, typed=True).convert(("x",), {"b": None}) == (("x", None), {})


def test_untyped_annotations_do_not_count() -> None:
    parameters = Parameters(every_kind, typed=False)

    assert all("type" not in p["schema"] for p in parameters.definition()[0])
    assert parameters.convert(("x",), {"named": 1}) == (("x",), {"named": 1})


def test_an_unsupported_annotation_is_not_checked() -> None:
    parameters = Parameters(unsupported, typed=True)

    assert parameters.definition()[0][0]["schema"] == {}
    assert parameters.convert(("anything", "2"), {}) == (("anything", 2), {})


def test_arguments_become_what_the_annotations_say() -> None:
    line = {"start": {"x": 1}, "end": {"x": "2", "y": 3}}

    args, kwargs = Parameters(every_kind, typed=True).convert(
        ("1", "b", 1, "2.5"), {"named": "yes", "other": line, "z": "7"}
    )

    assert args == (1, "b", 1.0, 2.5)
    assert kwargs == {"named": True, "other": Line(start=Point(1), end=Point(2, 3)), "z": 7}


@pytest.mark.parametrize(
    ("args", "kwargs", "problem"),
    [
        ((), {"named": True}, "first"),
        (("x",), {"named": True}, "first"),
        ((1,), {}, "named"),
        ((1, "b", "x"), {"named": True}, "rest"),
        ((1,), {"named": True, "other": {"start": {}}}, "other"),
        ((1,), {"named": True, "z": "x"}, "more"),
    ],
)
def test_arguments_that_do_not_fit(args: Any, kwargs: Any, problem: str) -> None:
    with pytest.raises(ArgumentsInvalid, match=problem):
        Parameters(every_kind, typed=True).convert(args, kwargs)
