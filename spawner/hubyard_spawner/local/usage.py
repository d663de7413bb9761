"""Usage: the cores, memory and disk that living workloads use, measured from outside.

All workloads are measured in one look at this machine's processes; each belongs to the
workload whose shim is above it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_FILES = 100_000
"""Beyond, a folder's size is not counted: that would take too long."""


@dataclass(frozen=True)
class Measured:
    """One sample of a workload."""

    since_s: float
    """Seconds since the sample before."""
    cores: float
    """Used on average since then."""
    memory_bytes: int
    disk_bytes: int | None


class Sampler:
    """Remembers what each workload had used at the last look."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def measure(
        self, shims: Mapping[str, int], disks: Mapping[str, int]
    ) -> dict[str, Measured]:
        """Measure workloads, each given by its id and its shim's process id.

        The first look at one only remembers. `disks` are bytes, where counted.
        """
        moment = time.monotonic()
        found: dict[str, Measured] = {}
        looked: dict[str, tuple[float, float]] = {}
        for id_, (cpu_seconds, memory_bytes) in _totals(shims).items():
            looked[id_] = (moment, cpu_seconds)
            if id_ not in self._before:
                continue
            then, before = self._before[id_]
            since = moment - then
            if since > 0:
                cores = max(cpu_seconds - before, 0) / since
                found[id_] = Measured(since, cores, memory_bytes, disks.get(id_))
        self._before = looked
        return found


def folder_bytes(folder: Path) -> int | None:
    """What the files below a folder take on disk; None: there are too many to count."""
    total = count = 0
    queue = [str(folder)]
    while queue:
        try:
            with os.scandir(queue.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
                        continue
                    count += 1
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
        if count > _MOST_FILES:
            return None
    return total


def _totals(shims: Mapping[str, int]) -> dict[str, tuple[float, int]]:
    """The CPU seconds and resident bytes of each workload's processes."""
    owners = {pid: id_ for id_, pid in shims.items()}
    parents: dict[int, int] = {}
    used: dict[int, tuple[float, int]] = {}
    for process in psutil.process_iter(["pid", "ppid", "cpu_times", "memory_info"]):
        about = process.info
        if about["cpu_times"] is None or about["memory_info"] is None:
            continue  # ended while it was looked at
        times, memory = about["cpu_times"], about["memory_info"]
        parents[about["pid"]] = about["ppid"]
        seconds = times.user + times.system + times.children_user
        used[about["pid"]] = (
            seconds + times.children_system,
            max(memory.rss - getattr(memory, "shared", 0), 0),
        )
    totals: dict[str, tuple[float, int]] = {}
    for pid, (seconds, memory_bytes) in used.items():
        id_ = _owner(pid, parents, owners)
        if id_ is not None:
            before = totals.get(id_, (0.0, 0))
            totals[id_] = before[0] + seconds, before[1] + memory_bytes
    return totals


def _owner(
    pid: int, parents: Mapping[int, int], owners: Mapping[int, str]
) -> str | None:
    """The workload that a process belongs to: that of the shim above it."""
    for _ in range(len(parents)):
        if pid in owners:
            return owners[pid]
        if pid not in parents:
            return None
        pid = parents[pid]
    return None
