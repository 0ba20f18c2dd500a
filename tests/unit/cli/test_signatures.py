"""`taskgate types --check`: which changes of a signature break programs that submit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taskgate.cli import signatures
from taskgate.client import Parameter, ParameterKind, TaskType

POSITIONAL = ParameterKind.POSITIONAL_OR_KEYWORD
INTEGER = {"type": "integer"}


def parameter(
    name: str, schema: Any = None, *, kind: ParameterKind = POSITIONAL, required: bool = True
) -> Parameter:
    return Parameter(name, kind, required, schema or {})


def task_type(*parameters: Parameter, name: str = "a.b", defs: Any = None) -> TaskType:
    return TaskType(
        name=name,
        doc="",
        queue="celery",
        revision=1,
        signature="",
        parameters=parameters,
        arguments_schema={"$defs": defs} if defs else {},
        max_attempts=None,
        at_most_once=False,
        register_time=datetime.now(UTC),
        registered_by="",
        pause=None,
    )


def changes(folder: Path, old: TaskType, *new: TaskType) -> list[str]:
    """What is said after the file of the old one went to disk and back."""
    signatures.save(folder / "types.json", [old])
    return signatures.breaking_changes(signatures.load(folder / "types.json"), new)


X = parameter("x", INTEGER)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ((X,), (), "the parameter x was removed"),
        ((), (X,), "the parameter x is new and required"),
        ((parameter("x", required=False),), (parameter("x"),), "x became required"),
        ((X, parameter("y")), (parameter("y"), X), "argument 1 is y, and was x"),
        (
            (X,),
            (parameter("x", INTEGER, kind=ParameterKind.KEYWORD_ONLY),),
            "x cannot be given by position any more",
        ),
        (
            (X,),
            (parameter("x", INTEGER, kind=ParameterKind.POSITIONAL_ONLY),),
            "x cannot be given by name any more",
        ),
        (
            (parameter("rest", kind=ParameterKind.VAR_KEYWORD, required=False),),
            (),
            "the parameter **kwargs was removed",
        ),
    ],
)
def test_a_changed_parameter(tmp_path: Path, old: Any, new: Any, said: str) -> None:
    assert changes(tmp_path, task_type(*old), task_type(*new)) == [f"a.b: {said}"]


def test_a_removed_type_and_a_new_one(tmp_path: Path) -> None:
    said = changes(tmp_path, task_type(), task_type(name="a.c"))
    assert said == ["a.b: it is not there any more"]


def test_what_breaks_nothing(tmp_path: Path) -> None:
    more = parameter("more", INTEGER, required=False)
    rest = parameter("others", kind=ParameterKind.VAR_KEYWORD, required=False)
    wider = parameter("x", {"type": "number", "title": "X"}, required=False)
    assert changes(tmp_path, task_type(X), task_type(wider, more, rest)) == []


TREE = {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}, "required": ["left"]}

NARROWED = [
    ({}, INTEGER),
    ({"type": "number"}, INTEGER),
    ({"anyOf": [INTEGER, {"type": "null"}]}, INTEGER),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    ({"type": "string"}, {"type": "string", "maxLength": 3}),
    ({"type": "string"}, {"type": "string", "pattern": "a"}),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 2}),
    ({"type": "array"}, {"type": "array", "items": INTEGER}),
    ({"type": "object"}, {"type": "object", "required": ["a"]}),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}),
    ({"$ref": "#/$defs/Tree"}, {"$ref": "#/$defs/Gone"}),
]
"""An old schema, and a new one that takes less: the other way round nothing breaks."""


@pytest.mark.parametrize(("old", "new"), NARROWED)
def test_a_narrowed_type(old: Any, new: Any) -> None:
    fit = signatures.Fit({"Tree": TREE}, {"Tree": TREE})
    assert not fit.fits(old, new)
    assert signatures.Fit({"Tree": TREE}, {"Tree": TREE}).fits(old, old)


@pytest.mark.parametrize(("wide", "narrow"), NARROWED[:-1])
def test_a_widened_type(wide: Any, narrow: Any) -> None:
    assert signatures.Fit({}, {}).fits(narrow, wide)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"task_types": [{"name": "a.b"}]}')
    with pytest.raises(signatures.FileInvalid, match="--save"):
        signatures.load(tmp_path / "other.json")
