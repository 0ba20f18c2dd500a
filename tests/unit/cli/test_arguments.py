from __future__ import annotations

from typing import Any

import click
import pytest

from taskgate.cli.arguments import Arguments, parse_arguments, parse_labels


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("2", 2),
        ("-2", -2),
        ("2.5", 2.5),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("true", True),
        ("null", None),
        ('"2"', "2"),
        ("hello", "hello"),
        ("two words", "two words"),
        ("", ""),
        ("[1, {}]", [1, {}]),
        ("[1", "[1"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("2026-11-22", "2026-11-22"),
        ('"x=1"', "x=1"),
        ("https://host/?q=1", "https://host/?q=1"),
    ],
)
def test_a_word_is_json_if_it_parses_and_a_string_if_not(word: str, value: Any) -> None:
    assert parse_arguments([word], None, None) == Arguments([value], None)


@pytest.mark.parametrize(
    ("word", "kwargs"),
    [
        ("x=1", {"x": 1}),
        ("x=", {"x": ""}),
        ("name=Ann Lee", {"name": "Ann Lee"}),
        ("query=a=b", {"query": "a=b"}),
        ("größe=2", {"größe": 2}),
        ("text=a\nb", {"text": "a\nb"}),
    ],
)
def test_name_and_value_is_a_keyword_argument(word: str, kwargs: dict[str, Any]) -> None:
    assert parse_arguments([word], None, None) == Arguments(None, kwargs)


def test_nothing_said_is_told_from_no_arguments() -> None:
    assert parse_arguments([], None, None) == Arguments(None, None)
    assert parse_arguments([], "[]", "{}") == Arguments([], {})


def test_words_and_options_add_up() -> None:
    assert parse_arguments(["y=2"], "[0]", '{"x": 1}') == Arguments([0], {"x": 1, "y": 2})


@pytest.mark.parametrize(
    ("words", "args_json", "kwargs_json", "message"),
    [
        (["1"], "[2]", None, "not both"),
        ([], "{", None, "--args is not JSON"),
        ([], "{}", None, "--args must be a list"),
        ([], None, "[]", "--kwargs must be an object"),
        ([], "[NaN]", None, "NaN"),
        (["x=1", "x=2"], None, None, "'x' is given twice"),
        (["x=1"], None, '{"x": 2}', "'x' is given twice"),
    ],
)
def test_contradictions_are_usage_errors(
    words: list[str], args_json: str | None, kwargs_json: str | None, message: str
) -> None:
    with pytest.raises(click.UsageError, match=message):
        parse_arguments(words, args_json, kwargs_json)


def test_labels() -> None:
    assert parse_labels(["team=web", "note=a=b", "empty="]) == {
        "team": "web",
        "note": "a=b",
        "empty": "",
    }
    with pytest.raises(click.UsageError, match="'team' is not key=value"):
        parse_labels(["team"])
