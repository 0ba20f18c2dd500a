"""Programs that run beside a test."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from support.waiting import wait_until

LOG_TAIL = 4_000


class Process:
    """A program in a session of its own, with its output in a log file.

    It starts when it is made and is stopped at the end of a `with`. Signals reach its children
    too where that is what a test means: `kill`, `pause` and `resume`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        self._stop_signal = stop_signal
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*_as(user), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_ready(self, is_ready: Callable[[], bool], timeout: float = 60) -> None:
        """Return when it is ready; if it never is, end it and show its log."""

        def ready_or_dead() -> bool:
            return self.exit_code is not None or is_ready()

        try:
            wait_until(ready_or_dead, timeout, f"{self.name} is ready")
            if self.exit_code is not None:
                raise RuntimeError(f"{self.name} ended with {self.exit_code}")  # noqa: TRY301
        except BaseException as error:
            self.kill()
            error.add_note(f"{self.log}:\n{self.output[-LOG_TAIL:]}")
            raise

    def wait(self, timeout: float = 30) -> int:
        """Wait for its end; returns the exit code."""
        return self._popen.wait(timeout)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, not to its children."""
        self._popen.send_signal(number)

    def stop(self, timeout: float = 30) -> int:
        """Ask it to end, kill it if it does not; returns the exit code."""
        if self.exit_code is None:
            self.resume()
            self.send(self._stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.wait(timeout)
        return self.kill()

    def kill(self) -> int:
        """End it and its children at once, as a power cut would; returns the exit code."""
        pids = self._signal_all(signal.SIGKILL)
        exit_code = self.wait()
        self._kill_orphans()
        wait_until(lambda: all(map(has_ended, pids)), what=f"{self.name}'s children have ended")
        return exit_code

    def pause(self) -> None:
        """Freeze it and its children."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it and its children go on."""
        self._signal_all(signal.SIGCONT)

    def _kill_orphans(self) -> None:
        # Children whose parent ended before them keep its group; while they do, Linux gives its
        # number to nobody. A living process with the number is a stranger.
        if has_ended(self.pid):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> list[int]:
        if self.exit_code is not None:
            return []
        pids = [self.pid, *descendants(self.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _as(user: str | None) -> list[str]:
    # Popen changes the user after a plain fork, which crashes where gRPC has threads.
    if user is None:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def descendants(pid: int) -> list[int]:
    """Return the children of a process, theirs, and so on."""
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        child = int(folder.name)
        with suppress(ProcessLookupError):  # it ended while we looked
            children[int(_stat(child)[1])].append(child)
    found = list(children[pid])
    for child in found:  # grows while we walk it
        found.extend(children[child])
    return found


def memory(pid: int) -> int:
    """What a process and its descendants occupy, in bytes; pages that they share count for each."""
    page = os.sysconf("SC_PAGE_SIZE")
    sizes = [Path(f"/proc/{one}/statm").read_text() for one in (pid, *descendants(pid))]
    return sum(int(size.split()[1]) * page for size in sizes)


def has_ended(pid: int) -> bool:
    """Whether a process runs no more, though its parent may not have noticed (a zombie)."""
    try:
        return _stat(pid)[0] in "ZX"
    except ProcessLookupError:
        return True


def _stat(pid: int) -> list[str]:
    """Return what Linux says of a process, from its state on: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
