"""Memory: whether the operating system has ended something of ours for want of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_V2, _V1 = "memory.events", "memory.oom_control"


def oom_kills(own: Path = _OWN, groups: Path = _GROUPS) -> int:
    """Processes of our control group that were ended at the memory limit so far.

    Counted by the kernel, see https://docs.kernel.org/admin-guide/cgroup-v2.html
    (`memory.events`); 0 where nobody counts or we may not read it.
    """
    with contextlib.suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            inside = path.lstrip("/")
            if controllers == "memory":
                return _count(groups / "memory" / inside / _V1)
            if not controllers and (groups / inside / _V2).exists():
                return _count(groups / inside / _V2)
    return 0


def limit_bytes() -> int | None:
    """The memory of this workload's compute, where it is known."""
    text = os.environ.get("MEM_LIMIT", "")
    return int(text) if text.isdecimal() else None


def _count(file: Path) -> int:
    lines = (line.split() for line in file.read_text().splitlines())
    return sum(int(words[1]) for words in lines if words[0] == "oom_kill")
