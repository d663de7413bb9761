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
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

_SOURCE = Path(__file__).with_suffix(".c")
_VARIABLE = "HUBYARD_CHAOS_CLOCK"
_OURS = os.environ.get(_VARIABLE)
"""The clock that this very process was started under."""


class WallClock:
    """The seconds by which Hubyard's time of day is off, and how it comes to be."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environment = {"LD_PRELOAD": str(library), _VARIABLE: str(file)}
        """What a process needs that shall go by this clock."""
        self.offset_s = 0
        if not file.exists():
            self.set(0)
        self.offset_s = _offset_s(file)

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
        self.set(round(moment.timestamp() - _real_s()))

    def now(self) -> datetime:
        """What processes under this clock take for the present, in UTC."""
        return datetime.fromtimestamp(_real_s() + self.offset_s, UTC)

    def set(self, offset_s: int) -> None:
        """Let the time of day be so many seconds away from what it is."""
        mode = "r+b" if self._file.exists() else "wb"
        with self._file.open(mode) as file:  # in place: it is mapped by many
            file.write(struct.pack("@q", offset_s))
        self.offset_s = offset_s


def _offset_s(file: Path) -> int:
    return struct.unpack("@q", file.read_bytes())[0]


def _real_s() -> float:
    """The machine's time of day, whatever clock this process goes by."""
    return time.time() - (_offset_s(Path(_OURS)) if _OURS else 0)


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
