"""Lifetime: when a workload ends by itself, decided from facts alone.

It ends at the soonest of three: its lifetime is over; nothing has happened in it for
too long; the month's budget is spent. Each is known ahead, so that people are warned.
Nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hubyard.contract.entry import Deadline, EndReason
from hubyard.contract.workload import Kind

WARNING = timedelta(minutes=15)
"""How long before an end people are warned first."""
RUN_GRACE = timedelta(hours=1)
"""How long a run may go on once the budget is spent."""


@dataclass(frozen=True)
class Facts:
    """All that the deadline of a running workload follows from."""

    kind: Kind
    moment: datetime
    lifetime_at: datetime
    """When its lifetime is over, extensions included."""
    before: Deadline
    """What was decided the last time."""
    idle_since: datetime | None = None
    """Since when nothing has happened in it; None: something does, or nobody knows."""
    idle_limit: timedelta | None = None
    """After how long it is stopped for that; None: never."""
    spent: bool = False
    """A hard budget that pays for it has nothing left."""
    kept: bool = False
    """It goes on all the same: the budget's word on endpoints."""
    promised: datetime | None = None
    """Until when somebody has extended it: neither idleness nor budget ends it before.
    """


def deadline(facts: Facts) -> Deadline:
    """When a workload ends, and why."""
    ends = [Deadline(at=facts.lifetime_at, reason=EndReason.LIFETIME)]
    for reason, at in (
        (EndReason.IDLE, _idle(facts)),
        (EndReason.BUDGET, _budget(facts)),
    ):
        if at is not None:
            ends.append(Deadline(at=max(at, facts.promised or at), reason=reason))
    # Of two at once, the one that people were told of.
    return min(ends, key=lambda end: (end.at, end.reason is not facts.before.reason))


def _idle(facts: Facts) -> datetime | None:
    if facts.idle_since is None or facts.idle_limit is None:
        return None
    if facts.before.reason is EndReason.BUDGET and _budget(facts) is not None:
        return None  # the end they were told of is near, and its grace runs once
    at = facts.idle_since + facts.idle_limit
    soon = facts.moment + min(WARNING, facts.idle_limit)
    if at > soon:
        return None  # a pause for thought is nobody's end
    # People were told a time: it may come later than that, never sooner.
    told = facts.before.reason is EndReason.IDLE
    return max(at, facts.before.at) if told else soon


def _budget(facts: Facts) -> datetime | None:
    if not facts.spent or facts.kept:
        return None
    if facts.before.reason is EndReason.BUDGET:
        return facts.before.at
    return facts.moment + (RUN_GRACE if facts.kind is Kind.RUN else WARNING)
