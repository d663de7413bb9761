"""Limits: the ladder that holds a workload to its compute.

cgroup v2, where this process may make groups; else cgroup v1; else affinity, thread
counts and the shim's watch over private memory. A cage is one workload's group. Which
rung is in force is found once, by trying, and recorded with each ledger entry.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from hubyard.contract.workload import Limits

_CPU_PERIOD_US = 100_000
_CGROUP = Path("/sys/fs/cgroup")
_V1 = ("memory", "cpu")


@dataclass(frozen=True)
class Cage:
    """The control groups of one workload; none where limits are soft."""

    limits: Limits
    groups: tuple[Path, ...] = field(default=())

    @property
    def entrances(self) -> list[str]:
        """Files into which a process writes "0" to enter."""
        return [str(group / "cgroup.procs") for group in self.groups]

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has ended something in here at the memory limit."""
        name = {
            Limits.CGROUP_V2: "memory.events",
            Limits.CGROUP_V1: "memory.oom_control",
        }.get(self.limits)
        if name is None:
            return False
        with contextlib.suppress(OSError, ValueError):
            lines = (self.groups[0] / name).read_text().splitlines()
            return any(
                int(line.split()[1]) for line in lines if line.startswith("oom_kill ")
            )
        return False

    def peak_memory_bytes(self) -> int | None:
        """The most memory that was used in here, where the kernel counts it."""
        name = {
            Limits.CGROUP_V2: "memory.peak",
            Limits.CGROUP_V1: "memory.max_usage_in_bytes",
        }.get(self.limits)
        if name is not None:
            with contextlib.suppress(OSError, ValueError):
                return int((self.groups[0] / name).read_text())
        return None

    def destroy(self) -> None:
        """End every process in here and remove the groups; again does no harm."""
        for group in self.groups:
            for _ in range(50):
                if not group.exists():
                    break
                self._kill(group)
                with contextlib.suppress(OSError):
                    group.rmdir()
                    break
                time.sleep(0.02)

    @staticmethod
    def _kill(group: Path) -> None:
        with contextlib.suppress(OSError):
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


class Ladder:
    """The highest rung that this process may stand on."""

    def __init__(self, root: Path = _CGROUP) -> None:
        self._root = root
        self._v2 = self._delegated_group()
        if self._v2 is not None:
            self.limits = Limits.CGROUP_V2
        elif all(_may_make_groups(root / controller) for controller in _V1):
            self.limits = Limits.CGROUP_V1
        else:
            self.limits = Limits.SOFT

    def cage(self, entry_id: str) -> Cage:
        """The cage of a workload, whether or not it stands."""
        name = f"hubyard-{entry_id}"
        if self.limits is Limits.CGROUP_V2 and self._v2 is not None:
            return Cage(self.limits, (self._v2 / name,))
        if self.limits is Limits.CGROUP_V1:
            return Cage(self.limits, tuple(self._root / c / name for c in _V1))
        return Cage(self.limits)

    def build(self, entry_id: str, cpu: float, memory_bytes: int) -> Cage:
        """Make the cage of a workload: `cpu` cores, `memory_bytes` of memory."""
        cage = self.cage(entry_id)
        quota = str(max(int(cpu * _CPU_PERIOD_US), 1000))
        for group in cage.groups:
            group.mkdir(exist_ok=True)
        if self.limits is Limits.CGROUP_V2:
            (group,) = cage.groups
            (group / "memory.max").write_text(str(memory_bytes))
            (group / "memory.oom.group").write_text("1")
            (group / "cpu.max").write_text(f"{quota} {_CPU_PERIOD_US}")
        elif self.limits is Limits.CGROUP_V1:
            memory, cpu_group = cage.groups
            (memory / "memory.limit_in_bytes").write_text(str(memory_bytes))
            (cpu_group / "cpu.cfs_period_us").write_text(str(_CPU_PERIOD_US))
            (cpu_group / "cpu.cfs_quota_us").write_text(quota)
        return cage

    def _delegated_group(self) -> Path | None:
        """Our own v2 group, where it hands memory and CPU on to groups below."""
        try:
            own = Path("/proc/self/cgroup").read_text().splitlines()[-1]
            group = self._root / own.removeprefix("0::").lstrip("/")
            handed_on = (group / "cgroup.subtree_control").read_text().split()
        except (OSError, IndexError):
            return None
        useful = {"memory", "cpu"} <= set(handed_on) and _may_make_groups(group)
        return group if useful else None


def _may_make_groups(parent: Path) -> bool:
    probe = parent / f"hubyard-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True
