"""Spending: where a month's money went. Every figure follows from ledger lines."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.spend import Day, Part, Spend, SpendLine
from hubyard.contract.workload import Kind
from hubyard_hub.money.attribution import accounts_of
from hubyard_hub.money.budgets import limits
from hubyard_hub.money.lines import called
from hubyard_hub.money.present import IS_PRESENT
from hubyard_hub.money.reservation import Charge, Month, spent
from hubyard_hub.store.tables import deadlines, entries, settlements, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.budget import Account, Budget
    from hubyard.contract.entry import EndReason
    from hubyard.contract.identity import Identity
    from hubyard_hub.store import Store

_LINES_SHOWN = 100
_DEAREST = 10
_TREND = timedelta(days=7)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
NO_PROJECT = "(no project)"


class Item(NamedTuple):
    """One workload of a month, as light as a row, for there may be many."""

    id: str
    owner: str
    kind: Kind
    server_name: str
    name: str | None
    project: str | None
    compute: str
    price_micros: int
    currency: str
    started_at: datetime
    lifetime_at: datetime
    ended_at: datetime | None
    exact: bool | None
    reason: EndReason | None
    cost_micros: int | None
    unused_ms: int | None

    @property
    def charge(self) -> Charge:
        """What its costs follow from."""
        return Charge(
            self.price_micros, self.started_at, self.ended_at, self.lifetime_at
        )


@dataclass(frozen=True)
class Spending:
    """The questions about money that has been spent."""

    store: Store

    def of(
        self, asking: Identity, currency: str, moment: datetime | None = None
    ) -> Spend:
        """What somebody has spent this month, in UTC, and the budgets that pay."""
        accounts = accounts_of(asking.name, asking.groups, None)
        return self._month(asking.name, accounts, currency, moment or now())

    def everybody(self, currency: str, moment: datetime | None = None) -> Spend:
        """What everybody has spent this month, in UTC, and every budget."""
        return self._month(None, None, currency, moment or now())

    def _month(
        self,
        owner: str | None,
        accounts: list[Account] | None,
        currency: str,
        moment: datetime,
    ) -> Spend:
        # One moment and one look at the ledger: the figures fit one another.
        month = Month.of(moment)
        with self.store.read() as connection:
            items = items_of(connection, month, owner=owner, currency=currency)
            paying = limits(connection, accounts, moment)
        budgets = [limit.shown() for limit in paying]
        return _Sums(items, month, moment, currency).spend(owner or "", budgets)


def items_of(
    connection: Connection, month: Month, *, owner: str | None, currency: str
) -> list[Item]:
    """The workloads that cost anything in a month, newest first."""
    end, line = settlements.c, entries.c
    wanted = (
        select(
            *(line.id, line.owner, line.kind, line.server_name, line.name),
            *(line.project, line.compute, line.price_micros, line.currency),
            *(line.started_at, deadlines.c.lifetime_at, end.ended_at),
            *(end.exact, end.reason, end.cost_micros, uses.c.unused_ms),
        )
        .join(deadlines, deadlines.c.entry_id == line.id)
        .outerjoin(settlements, end.entry_id == line.id)
        .outerjoin(uses, uses.c.entry_id == line.id)
        .where(
            line.currency == currency,
            line.started_at < month.until,
            end.ended_at.is_(None) | (end.ended_at >= month.since),
        )
        .order_by(line.number.desc())
    )
    if owner is not None:
        wanted = wanted.where(line.owner == owner, IS_PRESENT)
    return [Item(*row) for row in connection.execute(wanted)]


class _Sums:
    """One month's items, added up in every way that people ask for."""

    def __init__(
        self, items: list[Item], month: Month, moment: datetime, currency: str
    ) -> None:
        self._items, self._month = items, month
        self._moment, self._currency = moment, currency
        self._spent = {i.id: spent(i.charge, month, moment) for i in items}
        self._total = sum(self._spent.values())

    def spend(self, owner: str, budgets: Sequence[Budget]) -> Spend:
        dearest = sorted(self._items, key=lambda i: self._spent[i.id], reverse=True)
        running = [item for item in self._items if item.ended_at is None]
        by_kind = self._by(lambda item: item.kind)
        days = self._days()
        return Spend(
            owner=owner,
            since=self._month.since,
            until=self._month.until,
            total=self._money(self._total),
            forecast=self._money(self._forecast()),
            per_hour=money.price(
                sum(item.price_micros for item in running), self._currency
            ),
            unused=self._money(sum(self._unused(item) for item in self._items)),
            by_kind={kind: self._money(by_kind.get(kind, 0)) for kind in Kind},
            by_project=self._parts(lambda item: item.project or NO_PROJECT),
            by_owner=self._parts(lambda item: item.owner),
            by_compute=self._parts(lambda item: item.compute),
            days=tuple(Day(day=at.date(), cost=self._money(c)) for at, c in days),
            budgets=tuple(budgets),
            dearest=self._lines(dearest[:_DEAREST]),
            lines=self._lines(self._items[:_LINES_SHOWN]),
        )

    def _money(self, micros: int) -> money.Money:
        return money.cost(micros, self._currency)

    def _by(self, key: Callable[[Item], str]) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for item in self._items:
            sums[key(item)] += self._spent[item.id]
        return sums

    def _parts(self, key: Callable[[Item], str]) -> tuple[Part, ...]:
        dearest_first = sorted(self._by(key).items(), key=lambda each: -each[1])
        return tuple(
            Part(
                name=name,
                cost=self._money(micros),
                share=round(micros / self._total, 4) if self._total else 0,
            )
            for name, micros in dearest_first
        )

    def _between(self, since: datetime, until: datetime) -> int:
        return sum(item.charge.cost_between(since, until) for item in self._items)

    def _days(self) -> list[tuple[datetime, int]]:
        """Each day of the month until now, and what it has cost."""
        since, moment = self._month.since, self._moment
        costs = [0] * ((moment - since) // _DAY + 1)
        for item in self._items:
            charge = item.charge
            first = max((item.started_at - since) // _DAY, 0)
            last = min((item.ended_at or moment) - since, moment - since) // _DAY
            for day in range(first, last + 1):
                at = since + day * _DAY
                costs[day] += charge.cost_between(at, min(at + _DAY, moment))
        return [(since + day * _DAY, cost) for day, cost in enumerate(costs)]

    def _forecast(self) -> int:
        """Spent so far, and the average of the last days for each day that is left."""
        since = max(self._month.since, self._moment - _TREND)
        elapsed = self._moment - since
        if not elapsed:
            return self._total
        recent = self._between(since, self._moment)
        left = self._month.until - self._moment
        return self._total + recent * (left // _SECOND) // max(elapsed // _SECOND, 1)

    def _unused(self, item: Item) -> int:
        """What of this month's cost it did nothing for, as far as it was measured."""
        cost = money.cost_of(item.price_micros, item.unused_ms or 0)
        return min(cost, self._spent[item.id])

    def _lines(self, items: Iterable[Item]) -> tuple[SpendLine, ...]:
        return tuple(self._line(item) for item in items)

    def _line(self, item: Item) -> SpendLine:
        return SpendLine(
            entry_id=item.id,
            owner=item.owner,
            kind=item.kind,
            server_name=item.server_name,
            name=called(item.name, item.server_name),
            project=item.project,
            compute=item.compute,
            price=money.price(item.price_micros, item.currency),
            cost=self._money(
                item.charge.cost_between(item.started_at, self._moment)
                if item.cost_micros is None
                else item.cost_micros
            ),
            cost_this_month=self._money(self._spent[item.id]),
            unused=self._money(self._unused(item)),
            started_at=item.started_at,
            ended_at=item.ended_at,
            exact=item.exact is not False,
            reason=item.reason,
        )
