"""Who looks on from outside: when each workload's processes began and ended.

It believes the kernel alone. A process belongs to the ledger's entry that its
environment names, as `ps e` would show it; it began when the kernel says, and ended
when its pidfd says so. Times are seconds since the machine was started
(CLOCK_BOOTTIME), which nobody sets.

Run as `python ledger_observer.py <state> <file>`, in a process of its own, so that
nothing which is under test or tests can make it late.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LOOK_EVERY_S = 0.02
YOUNG_S = 5.0
"""For how long a process is looked at again, that may yet turn into a workload."""
_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


# -- the process that looks ------------------------------------------------------------


def clock() -> float:
    """Seconds since the machine was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _read(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / name).read_bytes()
    return b""


def _stat(pid: int) -> list[str]:
    return _read(pid, "stat").decode(errors="replace").rpartition(") ")[2].split()


def _environment(pid: int) -> dict[str, str]:
    said = _read(pid, "environ").decode(errors="replace").split("\0")
    return dict(each.split("=", 1) for each in said if "=" in each)


class Watch:
    """Writes a line whenever a process of a workload is found, or has ended."""

    def __init__(self, state: str, out: TextIO) -> None:
        self._state, self._out = state, out
        self._ends = select.epoll()
        self._open: dict[int, tuple[int, str]] = {}
        """Process id and entry, by the pidfd."""
        self._known: set[int] = set()
        self._young: dict[int, float] = {}

    def for_ever(self) -> None:
        while True:
            self._look()
            for descriptor, _ in self._ends.poll(LOOK_EVERY_S):
                moment = clock()
                pid, entry = self._open.pop(descriptor)
                self._ends.unregister(descriptor)
                os.close(descriptor)
                self._tell(entry=entry, pid=pid, ended=moment)

    def _look(self) -> None:
        pids = {int(each.name) for each in _PROC.iterdir() if each.name.isdigit()}
        self._known &= pids
        for pid in sorted(pids - self._known):
            if self._is_ours(pid):
                self._known.add(pid)
                self._young.pop(pid, None)
            elif clock() - self._young.setdefault(pid, clock()) > YOUNG_S:
                self._known.add(pid)
        for pid in self._young.keys() - (pids - self._known):
            del self._young[pid]

    def _is_ours(self, pid: int) -> bool:
        said = _environment(pid)
        entry = said.get("HUBYARD_ENTRY")
        if not entry or not said.get("HUBYARD_SCRATCH", "").startswith(self._state):
            return False
        stat = _stat(pid)
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return False  # it has ended between two looks
        if not stat:
            os.close(descriptor)
            return False
        above = _environment(int(stat[1])).get("HUBYARD_ENTRY")
        is_shim = above != entry and b"shim.py" in _read(pid, "cmdline")
        self._tell(
            entry=entry,
            server=said.get("JUPYTERHUB_SERVER_NAME", ""),
            pid=pid,
            shim=is_shim,
            began=int(stat[19]) / _TICKS,
        )
        self._open[descriptor] = pid, entry
        self._ends.register(descriptor, select.EPOLLIN)
        return True

    def _tell(self, **what: Any) -> None:
        self._out.write(json.dumps(what) + "\n")
        self._out.flush()


# -- who asks it -----------------------------------------------------------------------


@dataclass
class Sight:
    """What was seen of one entry's processes."""

    entry_id: str
    server_name: str
    began: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    shims: list[int] = field(default_factory=list)

    @property
    def started(self) -> float:
        """When its first process was made: the shim."""
        return min(self.began.values())

    @property
    def over(self) -> float | None:
        """When the last process but the shim had gone; None: one lives.

        A shim that never had a child was all that there was.
        """
        if self.began.keys() - self.ended.keys():
            return None
        work = [end for pid, end in self.ended.items() if pid not in self.shims]
        return max(work or self.ended.values())

    @property
    def seconds(self) -> float:
        """How long there was a process, which must be over."""
        assert self.over is not None
        return self.over - self.started


class Observer:
    """The process that looks, and what it has seen. May be asked by many threads."""

    def __init__(self, state: Path, file: Path) -> None:
        file.touch()
        self._read = file.open()
        self._lock = threading.Lock()
        self._sights: dict[str, Sight] = {}
        command = [sys.executable, "-S", __file__, str(state), str(file)]
        self._process = subprocess.Popen(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._read.close()

    def sights(self) -> list[Sight]:
        """All that was seen so far, as of now."""
        with self._look() as found:
            return copy.deepcopy(list(found.values()))

    def of_server(self, name: str) -> list[Sight]:
        """What was seen of one server, oldest first, as of now."""
        with self._look() as found:
            mine = [each for each in found.values() if each.server_name == name]
            return copy.deepcopy(mine)

    def is_over(self, entry_id: str) -> bool:
        """Whether nothing of an entry runs any more."""
        with self._look() as found:
            return found[entry_id].over is not None

    def all_over(self) -> bool:
        """Whether nothing of what was seen still runs."""
        with self._look() as found:
            return all(sight.over is not None for sight in found.values())

    @contextlib.contextmanager
    def _look(self) -> Iterator[dict[str, Sight]]:
        with self._lock:
            assert self._process.poll() is None, "the observer has ended"
            for line in iter(self._read.readline, ""):
                self._note(json.loads(line))
            yield self._sights

    def _note(self, said: dict[str, Any]) -> None:
        entry, pid = said["entry"], said["pid"]
        if "ended" in said:
            self._sights[entry].ended[pid] = said["ended"]
            return
        new = Sight(entry, said["server"])
        sight = self._sights.setdefault(entry, new)
        sight.began[pid] = said["began"]
        if said["shim"]:
            sight.shims.append(pid)


if __name__ == "__main__":
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # what is looked at must not make us late
    with Path(sys.argv[2]).open("a") as kept:
        Watch(sys.argv[1], kept).for_ever()
