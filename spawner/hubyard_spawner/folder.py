"""The folder of one workload: what its shim and its spawner tell each other.

log         everything that the workload prints
shim.json   the shim's process id, when that process began, and on which machine
deadline    when its lifetime ends, in seconds since the epoch; may be moved
end.json    how it ended
scratch/    the working folder of a run, an endpoint or an app
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
from pydantic import Field

from hubyard.contract.base import Read
from hubyard.contract.entry import EndReason, Entry, Settlement
from hubyard_spawner.shim import machine, start_ticks

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES = 64 * 1024
_END_OF_TIME_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
_ENTRY_VARIABLE = "HUBYARD_ENTRY"


class End(Read):
    """What the shim writes when its workload has ended."""

    code: int
    ended: float = Field(ge=0, lt=_END_OF_TIME_S)
    reason: EndReason | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None


class _Shim(Read):
    pid: int
    start_ticks: str
    machine: str = ""


@dataclass(frozen=True)
class Folder:
    """One workload's folder, named after its ledger entry."""

    path: Path

    @classmethod
    def of(cls, workloads: Path, entry_id: str) -> Folder:
        """The folder of an entry, whether or not it exists."""
        return cls(workloads / entry_id)

    @property
    def entry_id(self) -> str:
        """The ledger entry that pays for this workload."""
        return self.path.name

    @property
    def scratch(self) -> Path:
        """The working folder of a run, an endpoint or an app."""
        return self.path / "scratch"

    @property
    def log(self) -> Path:
        """Everything that the workload prints."""
        return self.path / "log"

    def make(self, deadline: datetime) -> None:
        """Make the folder of a workload that is about to start."""
        self.scratch.mkdir(parents=True, mode=0o700)
        self.set_deadline(deadline)

    def set_deadline(self, deadline: datetime) -> None:
        """Say, or move, when the lifetime ends; the shim looks every second."""
        fresh = self.path / f".deadline.{os.getpid()}"
        fresh.write_text(repr(deadline.timestamp()))
        fresh.replace(self.path / "deadline")

    def end(self) -> End | None:
        """How the workload ended; None: not yet, or the shim could not say."""
        try:
            return End.model_validate_json((self.path / "end.json").read_bytes())
        except (OSError, ValueError):
            return None

    def shim(self) -> int | None:
        """The shim's process id while it lives, never that of a later process."""
        shim = self._shim()
        if shim is None or start_ticks(shim.pid) != shim.start_ticks:
            return None
        return shim.pid

    def was_killed(self) -> bool:
        """Whether the shim is gone without a record though its machine still runs."""
        shim = self._shim()
        if shim is None or not shim.machine or shim.machine != machine():
            return False
        return self.end() is None and self.shim() is None

    def _shim(self) -> _Shim | None:
        try:
            return _Shim.model_validate_json((self.path / "shim.json").read_bytes())
        except (OSError, ValueError):
            return None

    def ask_to_end(self) -> bool:
        """Tell the shim to end its workload; False: there is none to tell."""
        pid = self.shim()
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            return True
        return False

    def kill(self) -> None:
        """End whatever still runs for this workload, wherever it has gone to."""
        pid = self.shim()
        marked = [p.pid for p in psutil.process_iter() if self._is_ours(p)]
        for victim in [*marked, *([pid] if pid else [])]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(victim, signal.SIGKILL)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(_ENTRY_VARIABLE) == self.entry_id
        except (psutil.Error, OSError):
            return False

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log, without control characters."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        kept = "\n".join(text.rstrip().splitlines()[-lines:])
        return "".join(c for c in kept if c.isprintable() or c in "\n\t")


def settlement_of(
    entry: Entry,
    end: End | None,
    *,
    last_seen: datetime | None,
    out_of_memory: bool = False,
    was_killed: bool = False,
    peak_memory_bytes: int | None = None,
) -> Settlement:
    """The settlement of a workload that is gone.

    Exact where the shim has written its record. Otherwise it ends, in the owner's
    favour, when it was last known to live.
    """
    if end is None:
        unsaid = EndReason.KILLED if was_killed else EndReason.LOST
        return Settlement(
            entry_id=entry.id,
            ended_at=max(last_seen or entry.started_at, entry.started_at),
            exact=False,
            reason=EndReason.OUT_OF_MEMORY if out_of_memory else unsaid,
            peak_memory_bytes=peak_memory_bytes,
        )
    killed = EndReason.KILLED if end.code < 0 else EndReason.EXITED
    reason = end.reason or killed
    if out_of_memory and end.reason is None:
        reason = EndReason.OUT_OF_MEMORY
    return Settlement(
        entry_id=entry.id,
        ended_at=max(datetime.fromtimestamp(end.ended, UTC), entry.started_at),
        exact=True,
        reason=reason,
        exit_code=end.code,
        peak_memory_bytes=peak_memory_bytes or end.peak_memory_bytes,
        cpu_seconds=end.cpu_seconds,
    )


def folders(workloads: Path) -> list[Folder]:
    """Every workload's folder, oldest first."""
    if not workloads.is_dir():
        return []
    return [Folder(path) for path in sorted(workloads.iterdir()) if path.is_dir()]


def spec_text(spec: dict[str, object]) -> str:
    """The shim's second argument."""
    return json.dumps(spec)
