"""The folder of a run, and in it one of each step run: the files, by their names."""

from __future__ import annotations

import json
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
            beside = self.scratch.parent
            deadline = (beside / "deadline").read_text().partition(" ")[0]
            return _now_s(beside / "clock.json") >= float(deadline) - 1
        return False


def _now_s(clock: Path) -> float:
    """The present moment by the clock of the ledger's entry, as the shim has it.

    It is the time of day at the start, carried on by the machine's monotonic clock:
    whoever sets the time of day moves no deadline.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(clock.read_text())
        return float(said["began"]) + time.monotonic() - float(said["monotonic"])
    return time.time()
