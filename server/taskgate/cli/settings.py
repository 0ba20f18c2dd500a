"""What the commands that start the parts share: settings, and how errors are told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from click.decorators import FC
from pydantic import ValidationError

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.server.settings import MisspeltSetting, check_names
from taskgate.store.errors import SchemaOutdated, StoreUnavailable
from taskgate.tasks.settings import Settings, problems

AnySettings = TypeVar("AnySettings", bound=Settings)


def load_settings(kind: type[AnySettings], **given: Any) -> AnySettings:
    """The settings from the environment, and those ``given`` on the command line unless None.

    Raises:
        CommandError: one of them is wrong.
    """
    try:
        check_names(os.environ)
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        more = tuple(problems(error))
        raise CommandError("settings are wrong", exit_code=exits.USAGE, more=more) from error
    except MisspeltSetting as error:
        raise CommandError(str(error), exit_code=exits.USAGE) from error


def loglevel_option(default: str, text: str) -> Callable[[FC], FC]:
    """``--loglevel``, with Python's names."""
    return click.option(
        "--loglevel",
        default=default,
        show_default=True,
        type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
        help=text,
    )


@contextmanager
def translate_store_errors() -> Iterator[None]:
    """Turn a database that is away or has other tables into one clear line."""
    try:
        yield
    except StoreUnavailable as error:
        raise CommandError(str(error), exit_code=exits.UNANSWERED) from error
    except SchemaOutdated as error:
        raise CommandError(str(error), exit_code=exits.FAILED) from error
