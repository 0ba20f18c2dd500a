"""The command lines of the parts."""

from __future__ import annotations

import sys

SERVER = (sys.executable, "-m", "taskgate.cli", "server")

CELERY = (sys.executable, "-m", "celery")

WORKER = ("--app", "taskgate.tasks", "worker")
"""What follows ``CELERY``, and options of Celery's that come before a subcommand."""
