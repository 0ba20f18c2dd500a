from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskgate.server.requests import arguments

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_what_was_written_is_read_as_it_was(value: Any) -> None:
    text = arguments.write(value)
    assert text.isascii()
    assert repr(arguments.parse(text)) == repr(value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = arguments.parse(text)
    except arguments.NotJson:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "[Infinity]", "-Infinity", "1e400", '{"a":1,"a":1}', "1 2", "'a'", "9" * 5000],
)
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(arguments.NotJson):
        arguments.parse(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_depth_is_bounded(opening: str, closing: str) -> None:
    deepest = arguments.MAX_DEPTH

    def nested(depth: int) -> str:
        return opening * depth + "1" + closing * depth

    assert arguments.depth(arguments.parse(nested(deepest))) == deepest
    for depth in (deepest + 1, 5_000, 100_000):
        with pytest.raises(arguments.NotJson, match="nested more than 200"):
            arguments.parse(nested(depth))
