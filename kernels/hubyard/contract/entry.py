"""The ledger: the append-only record of every workload's start and end.

entry       written before the process exists; never changed. Freezes the price
settlement  written once, by whoever notices the end first
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from hubyard.contract.base import Moment, Read
from hubyard.contract.money import Money, cost_of
from hubyard.contract.workload import Kind, Limits


class EndReason(StrEnum):
    """Why a workload ended."""

    EXITED = "exited"
    """Its process came to its own end."""
    STOPPED = "stopped"
    """Somebody stopped it."""
    LIFETIME = "lifetime"
    """Its lifetime was over."""
    KILLED = "killed"
    """A signal that was not ours ended it."""
    OUT_OF_MEMORY = "out-of-memory"
    """The kernel ended it at its memory limit."""
    START_FAILED = "start-failed"
    """It never came to listen."""
    LOST = "lost"
    """It was gone when somebody looked, and nobody knows how."""


class Entry(Read):
    """The start of a workload, as promised before its process was made."""

    id: str
    owner: str
    server_name: str
    kind: Kind
    compute: str
    price_micros: int = Field(description="per hour, frozen at the start")
    currency: str
    lifetime_s: int
    limits: Limits
    started_at: Moment


class Settlement(Read):
    """The end of a workload."""

    entry_id: str
    ended_at: Moment
    exact: bool = Field(
        description="False: ended_at is the last moment it was known to live"
    )
    reason: EndReason
    exit_code: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None

    def cost_micros(self, entry: Entry) -> int:
        """What the workload cost: its seconds at the price of its start."""
        return cost_micros(entry, self.ended_at)


def cost_micros(entry: Entry, until: Moment) -> int:
    """What an entry costs from its start until a moment, in micro-units."""
    elapsed = until - entry.started_at
    return cost_of(entry.price_micros, round(elapsed.total_seconds() * 1000))


class SpendLine(Read):
    """One workload's line in the spend section."""

    entry_id: str
    kind: Kind
    server_name: str
    compute: str
    price: Money
    cost: Money
    started_at: Moment
    ended_at: Moment | None
    reason: EndReason | None


class Spend(Read):
    """What an owner has spent since the first of the month, in UTC."""

    owner: str
    since: Moment
    total: Money
    per_hour: Money = Field(description="what is being spent now")
    by_kind: dict[Kind, Money]
    lines: tuple[SpendLine, ...] = Field(description="newest first, at most 100")
