"""The list of the cases that are in `make test`."""

from __future__ import annotations

import pytest

from .conftest import misnamed


def test_each_name_in_the_list_is_a_tests(request: pytest.FixtureRequest) -> None:
    assert request.config.stash[misnamed] == set()
