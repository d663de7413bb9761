"""The ledger: the append-only record of every workload's start and end.

entry       written before the process exists; never changed. Freezes the price
settlement  written once, by whoever notices the end first
deadline    when it will end, and why: the soonest of lifetime, idleness and budget
account     whom an entry's cost counts for: a user, each of her groups, a project
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from hubyard.contract.base import Moment, Read
from hubyard.contract.money import cost_of
from hubyard.contract.workload import Kind, Limits

_MILLISECOND = timedelta(milliseconds=1)


class EndReason(StrEnum):
    """Why a workload ended."""

    EXITED = "exited"
    """Its process came to its own end."""
    STOPPED = "stopped"
    """Somebody stopped it."""
    LIFETIME = "lifetime"
    """Its lifetime was over."""
    IDLE = "idle"
    """Nothing had happened in it for as long as the deployment allows."""
    BUDGET = "budget"
    """The month's budget was spent, and nobody had extended it."""
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
    cpu: float = Field(default=0, description="cores that it may use")
    memory_bytes: int = Field(default=0, description="memory that it may use")
    groups: tuple[str, ...] = Field(
        default=(), description="the owner's hub groups at the start"
    )
    project: str | None = None
    name: str | None = Field(default=None, description="what its owner calls it")
    model: str | None = Field(
        default=None, description="an endpoint's, as name/version"
    )
    schedule_id: str | None = None


class Deadline(Read):
    """When a workload will end, and why."""

    at: Moment
    reason: EndReason


class Settlement(Read):
    """The end of a workload."""

    entry_id: str
    ended_at: Moment
    exact: bool = Field(
        description="False: ended_at is the last moment it was known to live"
    )
    latest_at: Moment | None = Field(
        default=None, description="not exact: it had ended by this moment"
    )
    reason: EndReason
    exit_code: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None


def cost_micros(entry: Entry, until: Moment) -> int:
    """What an entry costs from its start until a moment, in micro-units."""
    return cost_of(entry.price_micros, milliseconds(entry.started_at, until))


def milliseconds(since: Moment, until: Moment) -> int:
    """The whole milliseconds from one moment to another, rounded to the nearest."""
    return round((until - since) / _MILLISECOND)
