"""Steps: what to do next for a wish, decided from facts alone.

One table for runs, deployments and apps. Nothing here reads a clock, a database or a
network; whatever kills the process between two steps, the facts tell the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind, Status, Target
from hubyard_hub.workloads.hub_client import Server

ATTEMPTS = 6
"""How often a start is asked for before the wish has failed: for half a minute, for
the pauses between them double."""
_GENTLE = {
    EndReason.STOPPED,
    EndReason.LIFETIME,
    EndReason.IDLE,
    EndReason.BUDGET,
}
"""Ends of an endpoint or app that were foreseen: nothing has gone wrong."""
RESTED_S = 20
"""What a run gets to end by itself after its last word."""


class Act(StrEnum):
    """What is asked of the hub."""

    NOTHING = "nothing"
    START = "start"
    STOP = "stop"
    FORGET = "forget"
    """Nothing is left: the wish is closed, a run's server removed from the hub."""


@dataclass(frozen=True)
class Facts:
    """All that a step may look at."""

    kind: Kind
    status: Status
    target: Target
    server: Server
    billed: bool = False
    """The ledger has an entry for this start."""
    end: EndReason | None = None
    """How the ledger says that this start ended."""
    process_gone: bool = False
    """The shim has written its record: whatever the hub believes, nothing runs."""
    attempts: int = 0
    recorded: bool = False
    """A run has handed in a record, so its notebook may have begun."""
    unchanged_s: float = 0
    """Since its status changed, or its last start was refused."""


@dataclass(frozen=True)
class Step:
    """What to do: an act, then a new status where there is one."""

    act: Act = Act.NOTHING
    status: Status | None = None
    end: EndReason | None = None
    """Why it ended, to be put in words."""
    again: bool = False
    """Begin anew: this start is over and another one is wished for."""


def next_step(facts: Facts) -> Step:
    """The next step towards the target; an empty one where there is nothing to do."""
    if not facts.status.is_active:
        return _clear_up(facts)
    if facts.end is not None and facts.target is Target.RUNNING:
        return _after_end(facts, facts.end)
    if facts.target is Target.STOPPED:
        return _bring_down(facts)
    return _bring_up(facts)


def _clear_up(facts: Facts) -> Step:
    """It is final; the hub may not know yet."""
    if facts.server is Server.ABSENT:
        return Step(Act.FORGET)
    ends_by_itself = facts.kind is Kind.RUN and facts.unchanged_s < RESTED_S
    if facts.server is Server.BUSY or (ends_by_itself and not facts.process_gone):
        return Step()
    return Step(Act.STOP)


def _bring_down(facts: Facts) -> Step:
    if facts.server is Server.ABSENT:
        return Step(status=Status.STOPPED, end=EndReason.STOPPED)
    return Step() if facts.server is Server.BUSY else Step(Act.STOP)


def _bring_up(facts: Facts) -> Step:
    match facts.server:
        case Server.BUSY:
            return Step()
        case Server.STARTING:
            return Step(status=_changed(facts, Status.STARTING))
        case Server.READY if facts.process_gone:
            return Step(Act.STOP)
        case Server.READY:
            up = Status.RUNNING if facts.kind is Kind.RUN else Status.READY
            return Step(status=_changed(facts, up))
        case _:
            return _issue(facts)


def _issue(facts: Facts) -> Step:
    """The hub has no server, and the ledger no end."""
    if facts.billed and (facts.kind is Kind.RUN or facts.process_gone):
        # Its end is not on record yet: the sweep will find it. A run may even go on
        # past a hub that has forgotten it; started again, its notebook would run twice.
        return Step()
    if facts.attempts >= ATTEMPTS:
        return Step(status=Status.FAILED, end=EndReason.START_FAILED)
    if facts.attempts and facts.unchanged_s < 2 ** (facts.attempts - 1):
        return Step()
    return Step(Act.START)


def _after_end(facts: Facts, end: EndReason) -> Step:
    if facts.kind is Kind.RUN:
        unborn = end is EndReason.LOST and not facts.recorded
        if unborn and facts.attempts < ATTEMPTS:
            return Step(status=Status.PENDING, again=True)
        gentle = end is EndReason.STOPPED
    else:
        gentle = end in _GENTLE
    return Step(status=Status.STOPPED if gentle else Status.FAILED, end=end)


def _changed(facts: Facts, status: Status) -> Status | None:
    return None if facts.status is status else status
