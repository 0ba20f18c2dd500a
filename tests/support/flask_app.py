"""A Flask app, and a task that needs its context."""

from __future__ import annotations

from flask import Flask, current_app, g, has_app_context

from taskgate.tasks import task

app = Flask("shop")
app.config["CURRENCY"] = "EUR"


@task(name="shop.currency")
def currency() -> str:
    """What only the context knows."""
    value: str = current_app.config["CURRENCY"]
    return value


@task(name="shop.visits")
def visits() -> int:
    """How often this was called in one context."""
    g.visits = g.get("visits", 0) + 1
    count: int = g.visits
    return count


@task(name="shop.fail")
def fail() -> None:
    """Leave the context by an exception."""
    raise LookupError(current_app.name)


@app.teardown_appcontext
def check(_error: BaseException | None) -> None:
    """The context is still there while it is taken down."""
    assert has_app_context()
