"""Reservation: what a month's budget is charged, decided from ledger lines alone.

spent      what a line has cost within the month, until a moment
reserved   what it may yet cost there: for its lifetime, at most a day ahead
committed  both; a start fits where what is committed and its own fit the amount

There is no counter that could drift: every figure follows from the lines. Nothing here
reads a clock or a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from hubyard.contract.entry import milliseconds
from hubyard.contract.money import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable

HORIZON = timedelta(days=1)
"""How far ahead a running workload reserves: an endpoint reserves no month at once."""
LEVELS = (80, 95, 100)
"""Percent of a budget at which people are warned; at the last one it is spent."""


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC: `since` belongs to it, `until` is the next one's."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month that a moment lies in."""
        since = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        later = since + timedelta(days=31)
        return cls(since, later.replace(day=1))


class Charge(NamedTuple):
    """What of a ledger line its costs follow from."""

    price_micros: int
    """Per hour."""
    started_at: datetime
    ended_at: datetime | None
    lifetime_at: datetime
    """When its lifetime is over, whatever may end it sooner."""

    def cost_between(self, since: datetime, until: datetime) -> int:
        """The part of its cost that falls from one moment to another, micro-units.

        The parts of a line add up to its cost, to the micro-unit.
        """
        until = max(until, since)
        return self._cost_until(until) - self._cost_until(since)

    def _cost_until(self, moment: datetime) -> int:
        end = moment if self.ended_at is None else min(moment, self.ended_at)
        return cost_of(self.price_micros, milliseconds(self.started_at, end))


def spent(charge: Charge, month: Month, moment: datetime) -> int:
    """What a line has cost within a month until a moment, in micro-units."""
    return charge.cost_between(month.since, min(moment, month.until))


def reserved(charge: Charge, month: Month, moment: datetime) -> int:
    """What a line may yet cost within a month, in micro-units: nothing once ended."""
    if charge.ended_at is not None:
        return 0
    since = max(moment, charge.started_at)
    until = min(max(charge.lifetime_at, since), since + HORIZON, month.until)
    return charge.cost_between(since, until)


@dataclass(frozen=True)
class Standing:
    """How much of an amount the lines of a month have taken, in micro-units."""

    amount: int
    spent: int
    reserved: int

    @property
    def left(self) -> int:
        """What a start may still reserve; never below nothing."""
        return max(self.amount - self.spent - self.reserved, 0)

    @property
    def percent(self) -> int:
        """Spent, of the amount, rounded down: 100 is reached, not come near to."""
        if self.amount == 0:
            return 100
        return self.spent * 100 // self.amount

    @property
    def level(self) -> int:
        """The last warning that was reached; 0: none."""
        return max((level for level in LEVELS if self.percent >= level), default=0)

    @property
    def is_spent(self) -> bool:
        """Whether nothing of it is left to spend."""
        return self.spent >= self.amount


def standing(
    amount: int, charges: Iterable[Charge], month: Month, moment: datetime
) -> Standing:
    """How an amount stands at a moment of a month."""
    have_spent = have_reserved = 0
    for charge in charges:
        have_spent += spent(charge, month, moment)
        have_reserved += reserved(charge, month, moment)
    return Standing(amount, have_spent, have_reserved)
