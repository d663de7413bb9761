"""A tree: all processes below this one, daemons included.

Once this process adopts orphans, nothing that a notebook starts can leave its tree.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_KILL_S = 2.0
_POLL_S = 0.02


def adopt_orphans() -> None:
    """Become the parent of whatever is left behind below this process: prctl(2)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def living() -> list[psutil.Process]:
    """All processes below this one that have not ended."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if _lives(process)]


def interrupt(pid: int) -> None:
    """Do what Ctrl-C does: SIGINT to the process and the rest of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGINT)


def end(grace_s: float) -> None:
    """End all processes below this one: SIGTERM, and SIGKILL after the grace."""
    _signal(signal.SIGTERM)
    if not await_end(grace_s):
        deadline = time.monotonic() + _KILL_S
        # Again and again: a process may start another while it is being ended.
        while living() and time.monotonic() < deadline:
            _signal(signal.SIGKILL)
            time.sleep(_POLL_S)


def children() -> set[int]:
    """The processes that this one has started, or has adopted."""
    return {process.pid for process in psutil.Process().children()}


def end_adopted(ours: set[int]) -> None:
    """End what was left behind here, and all below it; `ours` go on."""
    for pid in children() - ours:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for each in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()


def await_end(within_s: float) -> bool:
    """Wait until nothing lives below this process; False: something does."""
    deadline = time.monotonic() + within_s
    while living():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _signal(number: signal.Signals) -> None:
    for process in living():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
