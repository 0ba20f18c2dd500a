from __future__ import annotations

import pytest

from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable


def test_a_postgresql_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql://127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable, match="refused"), database.read():
        pytest.fail("it connected")
