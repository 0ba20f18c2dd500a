from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskgate.store.text import storable


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_that_a_database_can_hold_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udfff", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\ufeffa", "\ufeffa"),
    ],
)
def test_what_it_cannot_hold_is_replaced(text: str, stored: str) -> None:
    assert storable(text) == stored


@given(st.text(st.characters(categories=None)))
def test_what_is_stored_is_utf_8_without_nul(text: str) -> None:
    assert b"\0" not in storable(text).encode()
