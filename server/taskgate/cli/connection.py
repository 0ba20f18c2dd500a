"""The options of every command that calls a server, and how its errors are told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import click
import grpc

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.cli.output.terminal import write
from taskgate.client import Client, DeadlineExceeded, TaskgateError, Unavailable, WaitTimeout

DEFAULT_ADDRESS = "127.0.0.1:50051"


def _address(_context: click.Context, _option: click.Parameter, address: str) -> str:
    if ":" not in address:
        raise click.BadParameter(f"{address!r} is no address such as {DEFAULT_ADDRESS}")
    return address


_OPTIONS = (
    click.option(
        "--address",
        envvar="TASKGATE_ADDRESS",
        default=DEFAULT_ADDRESS,
        show_default=True,
        show_envvar=True,
        metavar="HOST:PORT",
        callback=_address,
        help="The server.",
    ),
    click.option(
        "--token",
        envvar="TASKGATE_TOKEN",
        show_envvar=True,
        help="The bearer token. Better set in the environment: others can read command lines.",
    ),
    click.option(
        "--plain-text-token",
        envvar="TASKGATE_PLAIN_TEXT_TOKEN",
        show_envvar=True,
        is_flag=True,
        help="Send the token without TLS too, readable to everyone on the way.",
    ),
    click.option("--tls", is_flag=True, help="Use TLS and trust the system's authorities."),
    click.option(
        "--tls-ca",
        envvar="TASKGATE_TLS_CA",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        help="Use TLS and trust the authorities in this PEM file.",
    ),
    click.option(
        "--tls-client-cert",
        envvar="TASKGATE_TLS_CLIENT_CERT",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        help="The certificate (PEM) to show, for servers that want one.",
    ),
    click.option(
        "--tls-client-key",
        envvar="TASKGATE_TLS_CLIENT_KEY",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        help="Its key (PEM).",
    ),
)


def calls_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a connection, and a Client as its first argument."""

    @functools.wraps(command)
    def connected(**options: Any) -> Any:
        address = options.pop("address")
        with _translate_errors(address), _client(address, options) as client:
            try:
                return command(client, **options)
            finally:
                _warn_of_version(client.server_version)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), connected)


def _warn_of_version(server: str) -> None:
    """Before 1.0 a minor version may change the API, later a major one."""
    ours = version("taskgate")
    if server and _compatible_part(server) != _compatible_part(ours):
        write(
            f"Warning: the server is taskgate {server}, this command is {ours}: "
            "install the server's version if something does not work",
            err=True,
        )


def _compatible_part(text: str) -> tuple[str, ...]:
    major, minor, *_ = [*text.split("."), ""]
    return (major, minor) if major == "0" else (major,)


def _client(address: str, options: dict[str, Any]) -> Client:
    try:
        return Client(
            address,
            token=options.pop("token"),
            plain_text_token=options.pop("plain_text_token"),
            tls=options.pop("tls"),
            tls_ca=options.pop("tls_ca"),
            tls_cert=options.pop("tls_client_cert"),
            tls_key=options.pop("tls_client_key"),
            timeout=10,
            retry_timeout=3,  # somebody looks on, and may have mistyped the address
        )
    except (OSError, ValueError) as error:
        raise click.UsageError(_in_options(str(error))) from error


def _in_options(text: str) -> str:
    """What the client says of its parameters, said of the command's options."""
    return text.replace("plain_text_token=True", "--plain-text-token").replace(
        "tls or tls_ca", "--tls or --tls-ca"
    )


@contextmanager
def _translate_errors(address: str) -> Iterator[None]:
    try:
        yield
    except (Unavailable, DeadlineExceeded) as error:
        raise CommandError(_away(error, address), exit_code=exits.UNANSWERED) from error
    except TaskgateError as error:
        raise _refused(error) from error
    except WaitTimeout as error:
        raise CommandError(str(error), exit_code=exits.UNANSWERED) from error


def _away(error: TaskgateError, address: str) -> str:
    if error.reason:  # the server did answer
        return _with_reason(error)
    if error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"the server at {address} did not answer in time"
    cause = error.message.rpartition(": ")[2]  # gRPC repeats the address in several forms
    return f"no taskgate server can be reached at {address}: {cause}"


def _refused(error: TaskgateError) -> CommandError:
    if not error.violations:
        return CommandError(_with_reason(error), exit_code=exits.REFUSED)
    violations = tuple(f"{v.field}: {v.description}" for v in error.violations)
    heading = f"the server refused the request ({error.reason or error.code.name})"
    return CommandError(heading, exit_code=exits.REFUSED, more=violations)


def _with_reason(error: TaskgateError) -> str:
    return f"{error.message} ({error.reason or error.code.name})"
