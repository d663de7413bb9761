"""Spend: what the ledger says a month has cost so far, and where it went."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from hubyard.contract.base import Moment, Read
from hubyard.contract.budget import Budget
from hubyard.contract.entry import EndReason
from hubyard.contract.money import Money
from hubyard.contract.workload import Kind


class SpendLine(Read):
    """One workload's line."""

    entry_id: str
    owner: str
    kind: Kind
    server_name: str
    name: str = Field(description="what people call it")
    project: str | None = None
    compute: str
    price: Money
    cost: Money = Field(description="of its whole life so far")
    cost_this_month: Money
    unused: Money = Field(description="the part of its cost in which it did nothing")
    started_at: Moment
    ended_at: Moment | None
    exact: bool = Field(
        default=True, description="False: its end is known up to a bound"
    )
    reason: EndReason | None


class Part(Read):
    """What one kind, project or owner has cost, dearest first."""

    name: str
    cost: Money
    share: float = Field(description="of the total, from 0 to 1")


class Day(Read):
    """What one day in UTC has cost."""

    day: date
    cost: Money


class Spend(Read):
    """What somebody, or everybody, has spent since the first of the month, in UTC."""

    owner: str = Field(description="empty: everybody")
    since: Moment
    until: Moment = Field(description="the first of the next month")
    total: Money
    forecast: Money = Field(
        description="at the month's end, if each day costs what the last seven did"
    )
    per_hour: Money = Field(description="what is being spent now")
    unused: Money = Field(description="paid for while nothing was computed")
    by_kind: dict[Kind, Money]
    by_project: tuple[Part, ...]
    by_owner: tuple[Part, ...]
    by_compute: tuple[Part, ...]
    days: tuple[Day, ...] = Field(description="from the first of the month to today")
    budgets: tuple[Budget, ...] = Field(description="that count this, tightest first")
    dearest: tuple[SpendLine, ...] = Field(description="at most ten")
    lines: tuple[SpendLine, ...] = Field(description="newest first, at most 100")
