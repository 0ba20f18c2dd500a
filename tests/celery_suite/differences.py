"""What passes on stock Celery and not here, on purpose; docs/celery.md says more about each."""

from __future__ import annotations

from collections.abc import Mapping

DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    "result backend": {},
    "managed": {},
}
"""By the way of keeping results: the test, and the reason."""
