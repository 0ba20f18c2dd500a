"""Servers that calls are compared with."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress

from bench.environment import OURS, PEERS, PROGRAMS, ROOT, Environment
from bench.load import Calls
from bench.systems import Stock
from support.ports import free_port
from support.processes import Process


def echo(environment: Environment, exits: ExitStack, calls: Calls) -> str:
    """The address of a bare gRPC server that gives each of these calls the same answer."""
    address = f"127.0.0.1:{free_port()}"
    answer = environment.new_folder("echo") / "answer"
    answer.write_bytes(calls.answer.SerializeToString())
    program = (str(PROGRAMS / "echo.py"), address, calls.name, str(answer))
    process = environment.start(
        exits, OURS / "python", *program, env={"PYTHONPATH": str(ROOT / "tests")}
    )
    process.wait_ready(lambda: _listens(address))
    return address


def flask(environment: Environment, exits: ExitStack, stock: Stock) -> str:
    """The address of Flask below gunicorn, two processes with eight threads each."""
    address = f"127.0.0.1:{free_port()}"
    options = ("--workers", "2", "--threads", "8", "--bind", address, "web:app")
    return _start(environment, exits, stock, address, "gunicorn", *options)


def flower(environment: Environment, exits: ExitStack, stock: Stock) -> str:
    """The address of Flower's API."""
    port = free_port()
    options = ("-A", "stock", "flower", "--address=127.0.0.1", f"--port={port}")
    environment_of_api = {"FLOWER_UNAUTHENTICATED_API": "true"}
    return _start(
        environment, exits, stock, f"127.0.0.1:{port}", "celery", *options, env=environment_of_api
    )


def _start(
    environment: Environment,
    exits: ExitStack,
    stock: Stock,
    address: str,
    command: str,
    *options: str,
    env: dict[str, str] | None = None,
) -> str:
    process: Process = environment.start(
        exits, PEERS / command, *options, env={**stock.env, **(env or {})}
    )
    process.wait_ready(lambda: _listens(address))
    return address


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False
