"""The folder of one workload: what its shim and its spawner tell each other.

log         the newest of what the workload prints; log.1 what it printed before
clock.json  when its entry was written, by the time of day and by a clock nobody sets
shim.json   the shim's process id, when that process began, and on which machine
seen        the last moment at which the shim saw it live
deadline    when it ends by itself, in seconds since the epoch, and why; may be moved
end.json    how it ended
scratch/    the working folder of a run, an endpoint or an app
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import psutil
from pydantic import Field

from hubyard.contract import environment
from hubyard.contract.base import Count, Ordinal, Read, now
from hubyard.contract.entry import Deadline, EndReason, Entry, Settlement
from hubyard.contract.layout import CLOCK, DEADLINE, SCRATCH, deadline_text
from hubyard_spawner.local.shim import machine, start_ticks

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES = 64 * 1024
_SAID_LIMIT_BYTES = 4096
"""Of what the shim says: a line."""
_END_OF_TIME_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


class End(Read):
    """What the shim writes when its workload has ended."""

    code: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    ended: float = Field(ge=0, lt=_END_OF_TIME_S)
    reason: EndReason | None = None
    peak_memory_bytes: Count | None = None
    cpu_seconds: Annotated[float, Field(ge=0, le=1e12)] | None = None


class _Shim(Read):
    pid: Ordinal
    start_ticks: str
    machine: str = ""


class Clock(Read):
    """A moment by two clocks: what else happens to a workload is timed by the second.

    `began` is in seconds since the epoch, `monotonic` of `time.monotonic()`, which all
    processes of one start of a machine share.
    """

    began: float = Field(ge=0, lt=_END_OF_TIME_S)
    monotonic: float
    machine: str

    @classmethod
    def at(cls, moment: datetime) -> Clock:
        """The clock of a workload whose entry is written at this very moment."""
        return cls(
            began=moment.timestamp(), monotonic=time.monotonic(), machine=machine()
        )

    def now(self) -> datetime | None:
        """The present moment; None: the machine is another one, or was restarted."""
        if self.machine != machine():
            return None
        since = time.monotonic() - self.monotonic
        return datetime.fromtimestamp(self.began + since, UTC)


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
        return self.path / SCRATCH

    @property
    def log(self) -> Path:
        """The newest of what the workload prints."""
        return self.path / "log"

    @property
    def older_log(self) -> Path:
        """What it printed before; the shim makes it of a log that has grown long."""
        return self.path / "log.1"

    def make(self, deadline: Deadline, clock: Clock) -> None:
        """Make the folder of a workload that is about to start."""
        self.scratch.mkdir(parents=True, mode=0o700)
        (self.path / CLOCK).write_text(clock.model_dump_json())
        self.set_deadline(deadline)

    def set_deadline(self, deadline: Deadline) -> None:
        """Say, or move, when it ends by itself; the shim looks twice a second."""
        fresh = self.path / f".deadline.{os.getpid()}"
        fresh.write_text(deadline_text(deadline))
        fresh.replace(self.path / DEADLINE)

    def move_deadline(self, deadline: Deadline) -> bool:
        """Say when it ends unless that is said already; whether it was not.

        Raises:
            OSError: there is no such folder.
        """
        if (self.path / DEADLINE).read_text() == deadline_text(deadline):
            return False
        self.set_deadline(deadline)
        return True

    def now(self) -> datetime:
        """The present moment, by the clock that its entry was written by."""
        with contextlib.suppress(OSError, ValueError, OverflowError):
            clock = Clock.model_validate_json(self._said(CLOCK))
            return clock.now() or now()
        return now()

    def seen(self) -> datetime | None:
        """The last moment at which its shim saw it live; None: it never did."""
        with contextlib.suppress(OSError, ValueError, OverflowError):
            return datetime.fromtimestamp(float((self.path / "seen").read_text()), UTC)
        return None

    def end(self) -> End | None:
        """How the workload ended; None: not yet, or the shim could not say."""
        try:
            return End.model_validate_json(self._said("end.json"))
        except (OSError, ValueError):
            return None

    def _said(self, name: str) -> bytes:
        """What a file says; the owner of the workload may have written anything."""
        with (self.path / name).open("rb") as file:
            return file.read(_SAID_LIMIT_BYTES)

    def last_lived(self, *known: datetime | None) -> datetime:
        """When it ended or was last seen to live; never before what else is known."""
        end = self.end()
        own = datetime.fromtimestamp(end.ended, UTC) if end else self.seen()
        return max(filter(None, [own, *known]))

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
            return _Shim.model_validate_json(self._said("shim.json"))
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
            return process.environ().get(environment.ENTRY) == self.entry_id
        except (psutil.Error, OSError):
            return False

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log, without control characters."""
        text = self.end_of_log(_TAIL_BYTES).decode(errors="replace")
        kept = "\n".join(text.rstrip().splitlines()[-lines:])
        return "".join(c for c in kept if c.isprintable() or c in "\n\t")

    def end_of_log(self, size_bytes: int) -> bytes:
        """The last so many bytes that it has printed, of those that are kept."""
        newest = _end_of(self.log, size_bytes)
        missing = size_bytes - len(newest)
        return _end_of(self.older_log, missing) + newest if missing else newest


def _end_of(path: Path, size_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - size_bytes, 0))
            return file.read(size_bytes)
    except OSError:
        return b""


def settlement_of(
    entry: Entry,
    folder: Folder,
    *,
    last_seen: datetime | None,
    out_of_memory: bool = False,
    peak_memory_bytes: int | None = None,
) -> Settlement:
    """The settlement of a workload that is gone.

    Exact where the shim has written its record. Otherwise it ends, in the owner's
    favour, when it was last known to live; the bound is the present.
    """
    end = folder.end()
    if end is None:
        unsaid = EndReason.KILLED if folder.was_killed() else EndReason.LOST
        ended_at = folder.last_lived(entry.started_at, last_seen)
        return Settlement(
            entry_id=entry.id,
            ended_at=ended_at,
            exact=False,
            latest_at=max(ended_at, folder.now()),
            reason=EndReason.OUT_OF_MEMORY if out_of_memory else unsaid,
            peak_memory_bytes=peak_memory_bytes,
        )
    killed = EndReason.KILLED if end.code < 0 else EndReason.EXITED
    reason = end.reason or killed
    if out_of_memory and end.reason is None:
        reason = EndReason.OUT_OF_MEMORY
    return Settlement(
        entry_id=entry.id,
        ended_at=folder.last_lived(entry.started_at),
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
