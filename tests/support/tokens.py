"""Tokens files, and calls that show a token."""

from __future__ import annotations

import hashlib
from typing import Any


def line(name: str, token: str, limits: str = "") -> str:
    """A line of a tokens file."""
    return f"{name} {hashlib.sha256(token.encode()).hexdigest()} {limits}\n"


def bearer(token: str) -> Any:
    """The metadata that shows a token."""
    return [("authorization", f"Bearer {token}")]
