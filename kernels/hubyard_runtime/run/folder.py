"""The folder of a run, and in it one of each step run."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard.contract.layout import (
    CLOCK,
    DEADLINE,
    OUTPUTS,
    RECORD,
    STEPS,
    read_deadline,
)

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard.contract.entry import EndReason


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
        return self.scratch / RECORD

    @property
    def steps(self) -> Path:
        """What the step runs make, a folder for each."""
        return self.scratch / STEPS

    def step(self, key: str) -> Path:
        """What a step run makes."""
        return self.steps / key

    def outputs(self, key: str) -> Path:
        """What a step run hands over."""
        return self.step(key) / OUTPUTS

    def own_end(self) -> EndReason | None:
        """Why the run ends by itself, once its deadline has come; None: not yet."""
        with suppress(OSError, ValueError, OverflowError):
            beside = self.scratch.parent
            deadline = read_deadline((beside / DEADLINE).read_text())
            if _now_s(beside / CLOCK) >= deadline.at.timestamp() - 1:
                return deadline.reason
        return None


def _now_s(clock: Path) -> float:
    """The present moment by the clock of the ledger's entry, as the shim has it.

    It is the time of day at the start, carried on by the machine's monotonic clock:
    whoever sets the time of day moves no deadline.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(clock.read_text())
        return float(said["began"]) + time.monotonic() - float(said["monotonic"])
    return time.time()
