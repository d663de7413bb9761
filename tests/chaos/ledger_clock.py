"""A wall clock that can be set while Hubyard runs, without setting the machine's."""

from __future__ import annotations

import shutil
import struct
import subprocess
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
        self.set(0)

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

    def set(self, offset_s: int) -> None:
        """Let the time of day be so many seconds away from what it is."""
        mode = "r+b" if self._file.exists() else "wb"
        with self._file.open(mode) as file:  # in place: it is mapped by many
            file.write(struct.pack("@q", offset_s))
        self.offset_s = offset_s
