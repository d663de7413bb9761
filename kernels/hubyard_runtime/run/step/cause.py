"""Why a kernel is ended."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Somebody stopped the run, or the time of a cell or of the whole step is up."""

    STOPPED = "stopped"
    CELL_TIMEOUT = "cell-timeout"
    STEP_TIMEOUT = "step-timeout"
