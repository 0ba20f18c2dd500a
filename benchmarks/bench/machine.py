"""The machine on which was measured, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from bench.environment import PEERS, ROOT
from support.require import require

_OURS = ("celery", "grpcio", "protobuf", "sqlalchemy", "psycopg2-binary", "redis")
_PEERS = ("celery", "dramatiq", "procrastinate", "Flask", "gunicorn", "flower")
_SYNCS = 200


def describe() -> Mapping[str, str]:
    """What a reader needs to know, by name."""
    return {
        "processor": f"{os.cpu_count()} x {_field('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) // 1_000_000} GB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "fdatasync of 8 kB": f"{_sync_milliseconds():.2f} ms",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "servers": ", ".join(
            _first_line(program, option)
            for program, option in (("postgres", "--version"), ("redis-server", "--version"))
        ),
        "taskgate with": ", ".join(f"{name} {version(name)}" for name in _OURS),
        "peers": ", ".join(f"{name} {_peer_version(name)}" for name in _PEERS),
    }


def commit() -> str:
    """The commit that is measured, marked where files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 (unknown)"


def _sync_milliseconds() -> float:
    with tempfile.TemporaryFile() as file:
        begun_at = time.perf_counter()
        for _ in range(_SYNCS):
            file.write(b"\0" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
        return (time.perf_counter() - begun_at) / _SYNCS * 1000


def _first_line(program: str, option: str) -> str:
    done = subprocess.run([require(program), option], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.splitlines()[0].split()[:3])


def _peer_version(name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    command = [str(PEERS / "python"), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "missing"
