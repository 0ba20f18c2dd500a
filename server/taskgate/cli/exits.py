"""How the command ends: exit codes that scripts can rely on, and one clear line for an error."""

from __future__ import annotations

from collections.abc import Iterable

import click

from taskgate.client import State

OK = 0
FAILED = 1
USAGE = 2
NOT_RUN = 3
REFUSED = 4
UNANSWERED = 5
OUTPUT_FAILED = 74
"""As sysexits.h has it."""
INTERRUPTED = 130
PIPE_CLOSED = 141
"""As a shell says that SIGPIPE ended a program."""

EXIT_CODES = """\b
Exit codes:
  0    done; with --wait: the task SUCCEEDED
  1    with --wait: the task FAILED; for the parts: ended by an error; doctor: found a problem;
       types --check: a signature changed
  2    the command line, or a setting, is wrong
  3    with --wait: the task was ABORTED or EXPIRED
  4    the server refused the call: no such task, invalid arguments, no token, …; or a batch's line
  5    no answer: the server or its database is away, or --timeout is over
  74   the output cannot be written: its disk is full
  130  interrupted with Ctrl-C
  141  whoever read the output has closed it
"""

_OF_STATE = {
    State.SUCCEEDED: OK,
    State.FAILED: FAILED,
    State.ABORTED: NOT_RUN,
    State.EXPIRED: NOT_RUN,
}


def exit_code(final_states: Iterable[State]) -> int:
    """The exit code for tasks that ended in these states; a FAILED task outranks all others."""
    codes = {_OF_STATE[state] for state in final_states}
    return next((code for code in (FAILED, NOT_RUN) if code in codes), OK)


class CommandError(click.ClickException):
    """An error for the user to read: a line, more lines below it, an exit code."""

    def __init__(self, message: str, *, exit_code: int, more: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join([message, *more]))
        self.exit_code = exit_code  # type: ignore[misc] # click means it to be set
