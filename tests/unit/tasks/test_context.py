from __future__ import annotations

import pytest

from taskgate.tasks.base import ContextInvalid, context_factory


def test_without_a_name_nothing_is_entered() -> None:
    with context_factory(None)():
        pass


def test_a_factory_within_an_object() -> None:
    factory = context_factory("support.celery_features:flask_app.app_context")

    with factory() as context:
        assert context.app.name == "the-flask-app"


@pytest.mark.parametrize(
    "name", ["no.such.module:x", "support:no_such_thing", "support", "support:__name__", ":x"]
)
def test_a_name_of_nothing(name: str) -> None:
    with pytest.raises(ContextInvalid, match="TASKGATE_CONTEXT"):
        context_factory(name)
