"""The folder of a run, and in it one of each step run: the files, by their names."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK, REPORT, OUTPUTS, PACKED = (
    "notebook.ipynb",
    "report.html",
    "outputs",
    "outputs.tar.gz",
)
TRACKED = "tracked"
"""Is there once a step run has begun a tracked run."""


@dataclass(frozen=True)
class Folder:
    """Where a run keeps its files."""

    scratch: Path

    @property
    def source(self) -> Path:
        """The unpacked source."""
        return self.scratch / "source"

    @property
    def record(self) -> Path:
        """The newest record."""
        return self.scratch / "record.json"

    @property
    def steps(self) -> Path:
        """What the step runs make, a folder for each."""
        return self.scratch / "steps"

    def step(self, key: str) -> Path:
        """What a step run makes."""
        return self.steps / key

    def outputs(self, key: str) -> Path:
        """What a step run hands over."""
        return self.step(key) / OUTPUTS

    def lifetime_is_over(self) -> bool:
        """Whether the deadline that the hub's side keeps beside us has come."""
        with suppress(OSError, ValueError):
            deadline = (self.scratch.parent / "deadline").read_text().partition(" ")[0]
            return time.time() >= float(deadline) - 1
        return False
