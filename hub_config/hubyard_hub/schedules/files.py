"""Files: what a look at a path or a glob below a home finds, without leaving it.

entry  a file or folder that a look has to read; they are what a look costs

Each folder is opened below the one before and no symbolic link is followed, so nothing
outside the home is looked at, whatever its owner puts there meanwhile. As in a shell, a
name that begins with a dot is found only where it is spelt out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from hubyard.contract.schedule import MOST_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

MOST_ENTRIES = 10_000
"""What one look costs at most; what lies beyond is not seen."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GLOB = set("*?[")


@dataclass(frozen=True)
class Look:
    """What a look has found."""

    state: str
    """The same while every file is; empty: there is none."""
    files: int
    entries: int


def look(home: Path, pattern: str, most: int = MOST_ENTRIES) -> Look:
    """Look at all that a pattern finds below a home, at most so many entries."""
    walk = _Walk(most)
    with suppress(OSError), _opened(str(home)) as folder:
        walk.match(folder, "", pattern.split("/"))
    found = repr(sorted(walk.found)).encode()
    return Look(
        state=hashlib.sha256(found).hexdigest() if walk.found else "",
        files=len(walk.found),
        entries=walk.entries,
    )


class _Walk:
    def __init__(self, most: int) -> None:
        self.found: list[tuple[str, int, int, int]] = []
        self.entries = 0
        self._most = most

    def match(self, folder: int, path: str, names: list[str]) -> None:
        """Take what matches the first of some names, and go on below it."""
        first, *others = names
        found = self._matching(folder, first) if _GLOB & set(first) else [first]
        for name in found:
            self.entries += 1
            with suppress(OSError):
                if others:
                    with _opened(name, folder) as inner:
                        self.match(inner, f"{path}{name}/", others)
                else:
                    self._take(folder, path, name)

    def _take(self, folder: int, path: str, name: str) -> None:
        """Take a file, or all that is in a folder."""
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(about.st_mode):
            whole = f"{path}{name}", about.st_size, about.st_mtime_ns, about.st_ino
            self.found.append(whole)
        elif stat.S_ISDIR(about.st_mode) and path.count("/") < MOST_FOLDERS:
            with _opened(name, folder) as inner:
                self.match(inner, f"{path}{name}/", ["*"])

    def _matching(self, folder: int, glob: str) -> list[str]:
        left = max(self._most - self.entries, 0)
        with os.scandir(folder) as every:
            names = [each.name for each in islice(every, left)]
        self.entries += len(names)
        hidden = glob.startswith(".")
        return [
            name
            for name in names
            if name.startswith(".") is hidden and fnmatchcase(name, glob)
        ]


@contextmanager
def _opened(name: str, below: int | None = None) -> Generator[int]:
    """A folder, which must be none by a link; OSError where it is not."""
    folder = os.open(name, _FOLDER, dir_fd=below)
    try:
        yield folder
    finally:
        os.close(folder)
