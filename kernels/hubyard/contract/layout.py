"""The layout of a workload's folder: the names of the files that both sides read.

deadline         when the workload ends by itself, and why
clock.json       when its ledger entry was written, by two clocks
scratch/         the working folder of a run, an endpoint or an app
  record.json    the newest record of a run
  steps/<key>/   what one step run makes: its executed notebook, the report of it, the
                 folder of what it hands over, and that folder packed
    tracked      is there once the step run has begun a tracked run
"""

from __future__ import annotations

from datetime import UTC, datetime

from hubyard.contract.entry import Deadline, EndReason

DEADLINE, CLOCK, SCRATCH = "deadline", "clock.json", "scratch"
RECORD, STEPS = "record.json", "steps"
NOTEBOOK, REPORT = "notebook.ipynb", "report.html"
OUTPUTS, PACKED_OUTPUTS = "outputs", "outputs.tar.gz"
TRACKED = "tracked"


def deadline_text(deadline: Deadline) -> str:
    """What the file of a deadline says: seconds since the epoch, and the reason."""
    return f"{deadline.at.timestamp()!r} {deadline.reason}"


def read_deadline(text: str) -> Deadline:
    """Read what `deadline_text` has written; without a reason it is the lifetime.

    Raises:
        ValueError: it says no moment, or no reason that there is.
        OverflowError: the moment lies in no year that there is.
    """
    at, _, reason = text.partition(" ")
    moment = datetime.fromtimestamp(float(at), UTC)
    return Deadline(at=moment, reason=EndReason(reason or EndReason.LIFETIME))
