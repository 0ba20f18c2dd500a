from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from taskgate.server.api.authentication import Tokens, TokensFileError
from taskgate.server.callers import ALL_ROLES, Caller, Patterns, Role
from taskgate.server.errors import TokenMissing, TokenUnknown

SHA256 = hashlib.sha256(b"apple").hexdigest()


def write(folder: Path, text: str) -> Path:
    path = folder / "tokens"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        f"alice {SHA256}",
        f"alice\t{SHA256.upper()}\r\n",
        f"# comment\n\n   \n  alice   {SHA256}  # hers\nbob {'0' * 64}\n",
    ],
)
def test_what_a_file_may_look_like(tmp_path: Path, text: str) -> None:
    assert Tokens(write(tmp_path, text)).caller("apple") == Caller("alice")


@pytest.mark.parametrize(
    "text",
    ["alice", SHA256, f"{SHA256} alice", f"alice {SHA256} more", f"alice {SHA256[:-1]}", "a apple"],
)
def test_a_wrong_line_is_named_but_not_shown(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"# comment\n{text}\n")
    with pytest.raises(TokensFileError, match="line 2") as caught:
        Tokens(path)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "caller"),
    [
        ("", Caller("alice")),
        ("roles=read", Caller("alice", frozenset({Role.READ}))),
        ("roles=admin,abort,submit,read", Caller("alice", ALL_ROLES)),
        (
            "queues=fast,b-*  task_types=demo.*  # hers",
            Caller("alice", task_types=Patterns(("demo.*",)), queues=Patterns(("fast", "b-*"))),
        ),
    ],
)
def test_limits_follow_the_token(tmp_path: Path, limits: str, caller: Caller) -> None:
    assert Tokens(write(tmp_path, f"alice {SHA256} {limits}")).caller("apple") == caller


@pytest.mark.parametrize(
    "limits",
    ["roles", "roles=", "roles=reader", "roles=read roles=read", "role=read", "task_types=a, b"],
)
def test_wrong_limits_let_nobody_in(tmp_path: Path, limits: str) -> None:
    with pytest.raises(TokensFileError, match="line 1"):
        Tokens(write(tmp_path, f"alice {SHA256} {limits}\n"))


def test_certificates_have_lines_of_their_own(tmp_path: Path) -> None:
    tokens = Tokens(write(tmp_path, f"alice {SHA256}\nbob certificate roles=read\n"))
    assert tokens.name_certificates
    assert tokens.certified("bob") == Caller("bob", frozenset({Role.READ}))
    with pytest.raises(TokenMissing):
        tokens.certified("alice")
    assert not Tokens(write(tmp_path, f"alice {SHA256}")).name_certificates


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TokensFileError, match="cannot read"):
        Tokens(tmp_path / "none")


def test_an_empty_file_lets_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tokens = Tokens(write(tmp_path, ""))
    assert "nobody can call" in caplog.text
    with pytest.raises(TokenUnknown):
        tokens.caller("")


@pytest.mark.parametrize("token", ["", "Apple", "apple ", SHA256, "\ud800", "x" * 100_000])
def test_an_unknown_token(tmp_path: Path, token: str) -> None:
    with pytest.raises(TokenUnknown):
        Tokens(write(tmp_path, f"alice {SHA256}")).caller(token)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbfalice " + SHA256.encode(), "line 1: a byte order mark"),
        (b"# fine\n\xff\xfe\n", "line 2: not UTF-8"),
        (f"alice {SHA256}\nbo\x00b {SHA256}\n".encode(), "line 2: a byte order mark or control"),
    ],
)
def test_garbage_names_its_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(data)
    with pytest.raises(TokensFileError, match=words):
        Tokens(path)
