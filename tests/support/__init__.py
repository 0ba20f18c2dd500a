"""What the tests share: real servers on ports of their own, started and ended by the tests."""

from __future__ import annotations
