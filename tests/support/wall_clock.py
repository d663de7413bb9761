"""A wall clock that can be set while Hubyard runs, without setting the machine's.

A program that reckons with a month chooses the month: `go_by_our_own` starts it again
under such a clock, by which it and all that it starts then go.
"""

from __future__ import annotations

import atexit
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

_SOURCE = Path(__file__).with_suffix(".c")
_VARIABLE = "HUBYARD_CHAOS_CLOCK"


class WallClock:
    """The seconds by which Hubyard's time of day is off, and how it comes to be."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environment = {"LD_PRELOAD": str(library), _VARIABLE: str(file)}
        """What a process needs that shall go by this clock."""
        self.offset_s = 0
        if not file.exists():
            self.set(0)
        self.offset_s = struct.unpack("@q", file.read_bytes())[0]

    @classmethod
    def build(cls, folder: Path) -> Self | None:
        """The clock; None: this machine has no C compiler to make it with."""
        compiler = shutil.which("cc")
        if compiler is None:
            return None
        library = folder / "clock.so"
        options = ("-shared", "-fPIC", "-O1", "-o")
        subprocess.run([compiler, *options, str(library), str(_SOURCE)], check=True)
        return cls(library, folder / "clock")

    @classmethod
    def of_environment(cls) -> Self | None:
        """The clock that this process goes by; None: the machine's."""
        if _VARIABLE not in os.environ:
            return None
        return cls(Path(os.environ["LD_PRELOAD"]), Path(os.environ[_VARIABLE]))

    def set_to(self, moment: datetime) -> None:
        """Let it be another moment."""
        real_s = datetime.now(UTC).timestamp() - self.offset_s
        self.set(round(moment.timestamp() - real_s))

    def set(self, offset_s: int) -> None:
        """Let the time of day be so many seconds away from what it is."""
        mode = "r+b" if self._file.exists() else "wb"
        with self._file.open(mode) as file:  # in place: it is mapped by many
            file.write(struct.pack("@q", offset_s))
        self.offset_s = offset_s


def go_by_our_own(moment: datetime) -> None:
    """Start this program again at another moment, unless it stands there already.

    Without a C compiler the machine's clock must do.
    """
    if _VARIABLE in os.environ:
        atexit.register(shutil.rmtree, Path(os.environ[_VARIABLE]).parent)
        return
    folder = Path(tempfile.mkdtemp(prefix="hy-clock-"))
    folder.chmod(0o755)  # a database server runs as another user
    clock = WallClock.build(folder)
    if clock is None:
        print("There is no C compiler here: the month is the real one.", flush=True)
        return
    clock.set_to(moment)
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **clock.environment})
