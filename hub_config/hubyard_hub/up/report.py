"""The report: what the supervisor writes down for `status` and `down`, in `up.json`."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from hubyard.contract.base import Moment, Read
from hubyard_hub.settings import STATE_VARIABLE, write_private
from hubyard_spawner.local.shim import start_ticks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

PROCESS_VARIABLE = "HUBYARD_PROCESS"
"""Names each supervised process in its environment, which workloads do not inherit."""
_FILE = "up.json"
_GONE_S = 10.0
_POLL_S = 0.02


class Running(Read):
    """A process, told apart from a later one of the same id by when it began."""

    pid: int
    start_ticks: str | None

    @classmethod
    def of(cls, pid: int) -> Running:
        """The process that has this id now."""
        return cls(pid=pid, start_ticks=start_ticks(pid))

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        began = start_ticks(self.pid)
        return began is not None and began == self.start_ticks


class ProcessReport(Read):
    """One supervised process."""

    name: str
    running: Running | None
    healthy: bool
    restarts: int
    made_of: str = ""
    """Of what it was started: see `adoption`."""
    last_end: str = ""
    """Why it was last started again."""


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
        report = cls._last(state)
        return report if report and report.supervisor.is_alive else None

    @classmethod
    def pid(cls, state: Path, name: str) -> int | None:
        """The process of that name, if it runs, also where its supervisor does not."""
        report = cls._last(state)
        for process in report.processes if report else ():
            if process.name == name and process.running and process.running.is_alive:
                return process.running.pid
        return None

    @classmethod
    def left(cls, state: Path) -> tuple[ProcessReport, ...]:
        """What still runs of the processes that the last supervisor has reported."""
        report = cls._last(state)
        return tuple(
            each
            for each in (report.processes if report else ())
            if each.running and each.running.is_alive and _is_of(each.running, state)
        )

    @classmethod
    def end_leftovers(cls, state: Path, *, besides: Collection[int] = ()) -> bool:
        """End what a supervisor that was killed has left; whether there was any.

        It goes on serving, and holds the ports that living workloads know.

        Args:
            state: whose processes these are.
            besides: process ids of what shall go on.
        """
        left = cls._left_in(state, besides)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        deadline = time.monotonic() + _GONE_S
        while any(map(_lives, left)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return bool(left)

    @classmethod
    def _left_in(cls, state: Path, besides: Collection[int]) -> list[psutil.Process]:
        """Each process was made the first of a session, in which its children are.

        A supervisor that is killed right after it has started one does not report it:
        that one is known by its environment.
        """
        report = cls._last(state)
        if report is None:
            return []
        sessions = {each.running.pid for each in report.processes if each.running}
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                session, told = os.getsid(process.pid), process.environ()
                of_ours = session in sessions or PROCESS_VARIABLE in told
                if of_ours and session not in besides and _serves(told, state):
                    found.append(process)
        return found

    @classmethod
    def _last(cls, state: Path) -> Report | None:
        try:
            return cls.model_validate_json((state / _FILE).read_bytes())
        except (OSError, ValueError):
            return None


def _is_of(running: Running, state: Path) -> bool:
    with suppress(psutil.Error):
        return _serves(psutil.Process(running.pid).environ(), state)
    return False


def _serves(environment: Mapping[str, str], state: Path) -> bool:
    """Whether it was started for this state: an id alone may be a stranger's by now."""
    return environment.get(STATE_VARIABLE) == str(state)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
