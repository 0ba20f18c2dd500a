"""Protobuf messages that are well-formed and otherwise anything (Hypothesis)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

MOST_DEPTH = 4
MOST_ITEMS = 3
LONG = 5_000

_INT32 = st.sampled_from([0, 1, 9, 10, -1, 2**31 - 1, -(2**31)]) | st.integers(-5, 2_000)
_EDGES = [0, 1, -1, 2**53, 2**63 - 1, -(2**63), 253_402_300_800, -62_135_596_801]
_INT64 = st.sampled_from(_EDGES) | st.integers(-(2**40), 2**40)
_ODD = ["", "\0", "'; --", "%s", "{}", "[" * LONG, "é" * LONG, "a" * 64, "\U0001f600\u0301"]
_TEXT = st.sampled_from(_ODD) | st.text(max_size=12)

_OF_TYPE: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_ENUM: st.integers(-1, 12),
}

Texts = Mapping[str, st.SearchStrategy[str]]
"""By a field's name: texts that mean something there, as others seldom come far."""


def json_texts() -> st.SearchStrategy[str]:
    """Texts of JSON, as Python writes it."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    )
    return values.map(json.dumps)


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], texts: Texts) -> Message:
    """Messages of a class, any of whose fields may be set, to any value that its type has."""
    return _message(draw, cast("Descriptor", kind.DESCRIPTOR), texts, depth=0)


def _message(draw: st.DrawFn, descriptor: Descriptor, texts: Texts, depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        is_nested = field.type == FieldDescriptor.TYPE_MESSAGE
        # All fields at once would nearly always be refused for one of them.
        odds = 4 if field.name in texts or _is_list_of_messages(field) else 1
        if draw(st.integers(0, 4)) < odds and not (is_nested and depth >= MOST_DEPTH):
            _set(draw, message, field, texts, depth)
    return message


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_list_of_messages(field: FieldDescriptor) -> bool:
    return field.is_repeated and field.message_type is not None and not _is_map(field)


def _set(
    draw: st.DrawFn, message: Message, field: FieldDescriptor, texts: Texts, depth: int
) -> None:
    if _is_map(field):
        for _ in range(draw(st.integers(0, MOST_ITEMS))):
            _set_entry(draw, message, field, texts, depth)
    elif field.is_repeated:
        items = [_value(draw, field, texts, depth) for _ in range(draw(st.integers(0, MOST_ITEMS)))]
        getattr(message, field.name).extend(items)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(_value(draw, field, texts, depth))
    else:
        setattr(message, field.name, _value(draw, field, texts, depth))


def _set_entry(
    draw: st.DrawFn, message: Message, field: FieldDescriptor, texts: Texts, depth: int
) -> None:
    key, value = cast("Descriptor", field.message_type).fields
    entries = getattr(message, field.name)
    name = _value(draw, key, texts, depth)
    if value.message_type is None:
        entries[name] = _value(draw, value, texts, depth)
    else:
        entries[name].CopyFrom(_value(draw, value, texts, depth))


def _value(draw: st.DrawFn, field: FieldDescriptor, texts: Texts, depth: int) -> Any:
    if field.message_type is not None:
        return _message(draw, field.message_type, texts, depth + 1)
    if field.name in texts and draw(st.integers(0, 9)):
        return draw(texts[field.name])
    return draw(_OF_TYPE[field.type])
