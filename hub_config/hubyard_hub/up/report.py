"""The report: what the supervisor writes down for `status` and `down`, in `up.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from hubyard.contract.base import Moment, Read
from hubyard_hub.settings import write_private

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "up.json"
_CLOSE_S = 1.0


class Running(Read):
    """A process, told apart from a later one of the same id by when it began."""

    pid: int
    began: float

    @classmethod
    def of(cls, pid: int) -> Running:
        """The process that has this id now."""
        return cls(pid=pid, began=psutil.Process(pid).create_time())

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < _CLOSE_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


class ProcessReport(Read):
    """One supervised process."""

    name: str
    running: Running | None
    healthy: bool
    restarts: int


class Report(Read):
    """The supervisor and what it supervises."""

    supervisor: Running
    url: str
    started_at: Moment
    processes: tuple[ProcessReport, ...] = ()

    def save(self, state: Path) -> None:
        """Write it down, whole or not at all."""
        write_private(state / _FILE, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, state: Path) -> Report | None:
        """What the supervisor of this state has written, while it lives."""
        try:
            report = cls.model_validate_json((state / _FILE).read_bytes())
        except (OSError, ValueError):
            return None
        return report if report.supervisor.is_alive else None
