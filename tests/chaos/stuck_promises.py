"""What somebody was told to be done, and whether it was.

start  of a run or a workspace: answered 2xx, so it has its entry in the ledger, or its
       owner is told why it has not. A run executes to its end; only where its disk is
       full may it fail, and say why
stop   answered 2xx, so nothing of it lives, and its end is on record
lost   answered 2xx and then forgotten
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from hubyard.contract.entry import Entry, Settlement


class What(StrEnum):
    """What was answered 2xx."""

    START = "start"
    STOP = "stop"


@dataclass(frozen=True)
class Promise:
    """One answer of 2xx."""

    what: What
    owner: str
    server: str
    """The server's name: `run-<id>`, `workspace-<name>`."""
    brief: bool = False
    """A run that ends by itself, and well."""


@dataclass(frozen=True)
class Found:
    """All that is known of a server once the fault is over."""

    entry: Entry | None = None
    """The newest of its name."""
    end: Settlement | None = None
    active: bool = False
    """Whether the hub believes that it runs."""
    processes: int = 0
    """How many of its processes live."""
    run: Status | None = None
    """What its owner is shown of the run."""
    failure: str = ""
    """Why the run has failed, as its owner is told."""
    refusal: str = ""
    """Why it was not started, as its owner is told."""


def is_kept(
    promise: Promise, found: Found, *, stopped: bool, may_fail: bool = False
) -> bool:
    """Whether what was promised is true now; what is on its way is not yet.

    Args:
        promise: what was answered.
        found: what is known.
        stopped: whether the stop of the same server was promised too.
        may_fail: whether a run may fail of what has happened, if it says why.
    """
    if promise.what is What.STOP:
        return _has_stopped(found)
    if promise.server.startswith("run-"):
        return _has_run(promise, found, stopped=stopped, may_fail=may_fail)
    return bool(found.refusal) or stopped or (found.entry is not None and _true(found))


def _has_stopped(found: Found) -> bool:
    gone = not found.active and found.processes == 0
    settled = found.entry is None or found.end is not None
    return gone and settled and (found.run is None or not found.run.is_active)


def _has_run(promise: Promise, found: Found, *, stopped: bool, may_fail: bool) -> bool:
    if stopped:
        return found.run is not None and not found.run.is_active
    if promise.brief:
        told = may_fail and found.run is Status.FAILED and bool(found.failure)
        return found.end is not None and (told or found.run is Status.SUCCEEDED)
    return found.run is Status.RUNNING and _true(found)


def _true(found: Found) -> bool:
    """Whether the hub, the ledger and the machine agree."""
    lives = found.active and found.end is None and found.processes > 0
    dead = not found.active and found.end is not None and found.processes == 0
    return lives or dead
