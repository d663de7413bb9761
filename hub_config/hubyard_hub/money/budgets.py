"""Budgets: what accounts may spend in a month, and whether a start fits.

Every change is a row of its own, so that it stays on record who raised what; the
newest row of an account is its budget.

A project is a name in a file that anybody may write, so its budget belongs to a hub
group: it pays, and is shown, only for what members of that group start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.budget import (
    Account,
    Budget,
    BudgetChange,
    Scope,
    Stop,
    WhenSpent,
)
from hubyard.contract.duration import duration_text
from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard_hub.money.present import IS_PRESENT
from hubyard_hub.money.reservation import Charge, Month, Standing, reserved, standing
from hubyard_hub.store import Store, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, RowMapping, Select

    from hubyard.contract.budget import BudgetRequest

_SHORTEST_S = 60
_CHANGES_SHOWN = 100


class BudgetSpent(Conflict):
    """The month's budget does not cover this."""


@dataclass(frozen=True)
class Limit:
    """A budget as it was set, and how it stands in the present month."""

    account: Account
    currency: str
    stop: Stop
    endpoints: WhenSpent
    set_by: str
    standing: Standing
    group: str | None = None
    """The hub group to which a project belongs."""

    def pays(self, accounts: Collection[Account]) -> bool:
        """Whether it pays for what counts for these accounts."""
        return _pays(self.account, self.group, accounts)

    @property
    def is_hard(self) -> bool:
        """Whether it refuses."""
        return self.stop is Stop.HARD

    def shown(self) -> Budget:
        """As people are shown it."""
        stands = self.standing
        return Budget(
            scope=self.account.scope,
            name=self.account.name,
            amount=money.cost(stands.amount, self.currency),
            stop=self.stop,
            endpoints=self.endpoints,
            group=self.group,
            set_by=self.set_by,
            spent=money.cost(stands.spent, self.currency),
            reserved=money.cost(stands.reserved, self.currency),
            left=money.cost(stands.left, self.currency),
            percent=stands.percent,
            level=stands.level,
        )


class Budgets:
    """The budgets of everyone. Who may see or set which is decided by who asks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(
        self, account: Account, request: BudgetRequest, currency: str, set_by: str
    ) -> Budget:
        """Let an account spend so much in each month, from this one on.

        Raises:
            Invalid: a project without a group, or something else with one.
        """
        _check_group(account, request.group)
        self._change(
            account,
            amount_micros=request.amount,
            currency=currency,
            stop=request.stop,
            endpoints=request.endpoints,
            group_name=request.group,
            set_by=set_by,
        )
        return self.get(account)

    def remove(self, account: Account, set_by: str) -> None:
        """Let an account spend what it likes.

        Raises:
            NotFound: it may already.
        """
        budget = self.get(account)
        self._change(
            account,
            amount_micros=None,
            currency="",
            stop=budget.stop,
            endpoints=budget.endpoints,
            group_name=budget.group,
            set_by=set_by,
        )

    def get(self, account: Account) -> Budget:
        """The budget of an account; NotFound where there is none."""
        with self._store.read() as connection:
            found = limits(connection, None, now(), only=account)
        if not found:
            raise NotFound(f"There is no {account.words}.")
        return found[0].shown()

    def of(self, accounts: Sequence[Account]) -> list[Budget]:
        """The budgets of some accounts, the one with the least left first."""
        with self._store.read() as connection:
            found = limits(connection, accounts, now())
        return [limit.shown() for limit in found]

    def list(self) -> list[Budget]:
        """Every budget, the one with the least left first."""
        with self._store.read() as connection:
            found = limits(connection, None, now())
        return [limit.shown() for limit in found]

    def changes(self) -> list[BudgetChange]:
        """Who has set which budget to what, newest first, at most a hundred."""
        columns = tables.budgets.c
        wanted = select(tables.budgets).order_by(columns.number.desc())
        with self._store.read() as connection:
            rows = connection.execute(wanted.limit(_CHANGES_SHOWN)).mappings().all()
        return [
            BudgetChange(
                **row,
                group=_group(row),
                amount=None
                if row["amount_micros"] is None
                else money.cost(row["amount_micros"], row["currency"]),
            )
            for row in rows
        ]

    def _change(self, account: Account, **values: Any) -> None:  # noqa: ANN401  columns of many types
        moment = now()
        budgets = tables.budgets

        def work(connection: Connection) -> None:
            newest = select(func.coalesce(func.max(budgets.c.number), 0))
            number = connection.execute(newest).scalar_one() + 1
            row = {"number": number, "set_at": moment, **dict(account), **values}
            connection.execute(budgets.insert().values(**row))

        self._store.atomically(work)


def _check_group(account: Account, group: str | None) -> None:
    if account.scope is Scope.PROJECT and group is None:
        raise Invalid(
            "Say to which hub group the project belongs: only its members may spend "
            "the budget.",
            field="group",
        )
    if account.scope is not Scope.PROJECT and group is not None:
        raise Invalid("Only the budget of a project has a group.", field="group")


def _group(row: RowMapping) -> str | None:
    """The group of a project's budget; before it could be named, that of its name."""
    is_project = row["scope"] == Scope.PROJECT
    return (row["group_name"] or row["name"]) if is_project else None


def _pays(account: Account, group: str | None, accounts: Collection[Account]) -> bool:
    return account in accounts and (
        group is None or Account(scope=Scope.GROUP, name=group) in accounts
    )


def limits(
    connection: Connection,
    accounts: Sequence[Account] | None,
    moment: datetime,
    *,
    only: Account | None = None,
) -> list[Limit]:
    """The budgets that pay for what counts for some accounts; the least left first.

    Args:
        connection: to read from.
        accounts: None: every budget.
        moment: now.
        only: of this account alone, whoever may spend it.
    """
    columns = tables.budgets.c
    newest = select(func.max(columns.number)).group_by(columns.scope, columns.name)
    wanted = select(tables.budgets).where(
        columns.number.in_(newest), columns.amount_micros.is_not(None)
    )
    of = [only] if only else accounts
    if of is not None:
        named = [(account.scope, account.name) for account in of]
        wanted = wanted.where(tuple_(columns.scope, columns.name).in_(named))
    month = Month.of(moment)
    found: list[Limit] = []
    for row in connection.execute(wanted).mappings().all():
        account, group = Account(scope=row["scope"], name=row["name"]), _group(row)
        # Before its month is added up: how long that takes tells of it as well.
        if accounts is not None and not _pays(account, group, accounts):
            continue
        charges = charges_of(connection, account, group, row["currency"], month)
        found.append(
            Limit(
                account=account,
                currency=row["currency"],
                stop=row["stop"],
                endpoints=row["endpoints"],
                set_by=row["set_by"],
                standing=standing(row["amount_micros"], charges, month, moment),
                group=group,
            )
        )
    return sorted(found, key=lambda limit: limit.standing.left)


def charges_of(
    connection: Connection,
    account: Account,
    group: str | None,
    currency: str,
    month: Month,
) -> list[Charge]:
    """What counts for an account in a month; money of another currency does not.

    For a project that belongs to a group, what the group's members have started.
    """
    entries, settlements = tables.entries, tables.settlements
    charged, deadlines = tables.charges, tables.deadlines
    ended_at = settlements.c.ended_at
    # Its lifetime counts, not a sooner end: that one is off when somebody comes back.
    over = deadlines.c.lifetime_at
    wanted = (
        select(entries.c.price_micros, entries.c.started_at, ended_at, over)
        .join(charged, charged.c.entry_id == entries.c.id)
        .join(deadlines, deadlines.c.entry_id == entries.c.id)
        .outerjoin(settlements, settlements.c.entry_id == entries.c.id)
        .where(
            charged.c.scope == account.scope,
            charged.c.name == account.name,
            entries.c.currency == currency,
            ended_at.is_(None) | (ended_at >= month.since),
        )
    )
    if group is not None:
        wanted = wanted.where(entries.c.id.in_(_of_members(group)))
    if account.scope is Scope.USER:
        wanted = wanted.where(IS_PRESENT)
    return [Charge(*row) for row in connection.execute(wanted)]


def _of_members(group: str) -> Select[Any]:
    """The entries of those who were in a group when they started them."""
    columns = tables.charges.c
    mine = (columns.scope == Scope.GROUP, columns.name == group)
    return select(columns.entry_id).where(*mine)


def admit(connection: Connection, accounts: Sequence[Account], start: Charge) -> None:
    """Whether every hard budget covers a start; asked in the entry's transaction.

    Raises:
        BudgetSpent: says how much is left, what would fit and who can raise it.
    """
    nothing = start._replace(lifetime_at=start.started_at)
    admit_more(connection, accounts, nothing, start, start.started_at)


def admit_more(
    connection: Connection,
    accounts: Sequence[Account],
    before: Charge,
    after: Charge,
    moment: datetime,
) -> None:
    """Whether every hard budget covers what a later deadline may cost more.

    Raises:
        BudgetSpent: says how much is left, what would fit and who can raise it.
    """
    if after.price_micros:
        check_more(limits(connection, accounts, moment), before, after, moment)


def check_more(
    found: Iterable[Limit], before: Charge, after: Charge, moment: datetime
) -> None:
    """The same, where the budgets that pay for it are known already.

    Raises:
        BudgetSpent: says how much is left, what would fit and who can raise it.
    """
    if after.price_micros == 0:
        return
    month = Month.of(moment)
    more = reserved(after, month, moment) - reserved(before, month, moment)
    for limit in found:
        if limit.is_hard and (more > limit.standing.left or limit.standing.is_spent):
            raise BudgetSpent(refusal(limit, after.price_micros, more))


def refusal(limit: Limit, price_micros: int, needed: int) -> str:
    """Why a start is refused: what is left, what would fit, who can raise it."""
    left = money.cost(limit.standing.left, limit.currency).text
    amount = money.cost(limit.standing.amount, limit.currency).text
    wanted = money.cost(needed, limit.currency).text
    fits = (money.duration_for(price_micros, limit.standing.left) or 0) // 1000
    price = money.price(price_micros, limit.currency).text
    advice = (
        f"at {price} an hour at most {duration_text(fits - fits % _SHORTEST_S)} fits: "
        "choose that or cheaper compute, or"
        if fits >= _SHORTEST_S
        else "nothing that costs anything fits:"
    )
    return (
        f"The {limit.account.words} has {left} left of {amount} this month, and this "
        f"may cost {wanted}: {advice} ask {limit.set_by}, who set it, to raise it."
    )


def tightest(found: Iterable[Limit]) -> Limit | None:
    """The budget that has the least left, hard ones first."""
    return min(
        found,
        key=lambda limit: (not limit.is_hard, limit.standing.left),
        default=None,
    )
