"""Small disks, which are soon full."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def small_disk(folder: Path, size_mib: int = 4) -> Iterator[Path | None]:
    """A disk of so many megabytes; None where this machine lets nobody mount one."""
    folder.mkdir()
    size = f"size={size_mib}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "none", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True)
    try:
        yield None if mounted.returncode else folder
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
