"""A small disk that a test can fill."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.require import require_root

_BLOCK = bytes(4096)


class SmallDisk:
    """A file system in memory, mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take all the space that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_BLOCK)
            except OSError:  # no space left
                return

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk on a folder; skips where we are not root."""
    require_root("file systems in memory")
    options = f"size={mebibytes}m,mode=755"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "taskgate", folder], check=True, timeout=30
    )
    try:
        yield SmallDisk(folder)
    finally:
        # Whoever still has a file open there keeps it; the folder is free.
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=30)
