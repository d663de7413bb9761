"""Prices: the one estimate that every surface shows before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard_hub.money.attribution import accounts_of
from hubyard_hub.money.budgets import limits, refusal, tightest
from hubyard_hub.money.reservation import Charge, Month, reserved
from hubyard_spawner.estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hubyard.contract.compute import Estimate
    from hubyard_hub.money.budgets import Limit
    from hubyard_hub.store import Store
    from hubyard_spawner.catalogue import Catalogue


@dataclass(frozen=True)
class Prices:
    """What things cost, and what the budgets say to it."""

    store: Store
    catalogue: Callable[[], Catalogue]

    def estimate(
        self,
        owner: str,
        groups: Collection[str],
        compute: str | None,
        lifetime_s: int | None,
        project: str | None = None,
    ) -> Estimate:
        """Price x time, before, and how much of the remaining budget that takes.

        Raises:
            Invalid, Forbidden: no such compute for these groups, or not for so long.
        """
        catalogue = self.catalogue()
        profile, seconds = catalogue.plan(compute, groups, lifetime_s)
        plain = estimate(catalogue, profile, seconds)
        known = {"notice": catalogue.notice(compute)}
        limit = tightest(self.limits(owner, groups, project))
        if limit is None:
            return plain.model_copy(update=known)
        return plain.model_copy(update=known | _within(limit, plain))

    def limits(
        self, owner: str, groups: Collection[str], project: str | None = None
    ) -> list[Limit]:
        """The budgets that pay for what somebody starts, the least left first."""
        accounts = accounts_of(owner, tuple(groups), project)
        with self.store.read() as connection:
            return limits(connection, accounts, now())


def _within(limit: Limit, plain: Estimate) -> dict[str, object]:
    """What a budget says to an estimate."""
    moment = now()
    start = Charge(
        price_micros=plain.price.micros,
        started_at=moment,
        ended_at=None,
        lifetime_at=moment + timedelta(seconds=plain.lifetime_s),
    )
    needed = reserved(start, Month.of(moment), moment)
    left = limit.standing.left
    refused = limit.is_hard and needed > left
    return {
        "left": money.cost(left, limit.currency),
        "share": plain.total.micros * 100 // left if left else None,
        "refusal": refusal(limit, start.price_micros, needed) if refused else None,
    }
