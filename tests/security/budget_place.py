"""Who attacks the budget, and where: a Hubyard whose workloads are cheap.

ana  the administrator
bo   has a hard budget with room for a few starts
eve  has no budget, so that whatever is refused to her is refused for what it is
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.budget import BudgetRequest, Scope
from hubyard.contract.money import amount_text, cost_of, parse_micros
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_hub.store.tables import entries
from support.cheap import cheap, profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hubyard.client import Client
    from hubyard.contract.entry import Entry
    from hubyard_hub.money.lines import Line
    from support.running import Person, Running

COMPUTE = "plain"
PRICE = "3.60"
LIFETIME_S = 720
HOURS = "0.2"
"""The same, as the spawn form has it."""
LONGEST_S = 7200
CLOSED = "vip"
"""Compute that is offered to a group of which nobody is."""
START_MICROS = cost_of(parse_micros(PRICE), LIFETIME_S * 1000)


def budget_for(starts: int) -> BudgetRequest:
    """Room for so many starts, and for half of one more."""
    return BudgetRequest(amount=amount_text(START_MICROS * (2 * starts + 1) // 2))


@dataclass
class Place:
    """A Hubyard and its three people."""

    hubyard: Running
    ana: Person
    bo: Person
    eve: Person

    def __post_init__(self) -> None:
        self.admin: Client = self.hubyard.client(self.ana)
        self._store = Store(self.hubyard.settings.database_url)
        self.ledger = Ledger(self._store)

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def give_bo_room(self, starts: int) -> None:
        """Set bo's budget, as an administrator does."""
        self.admin.budgets.set(Scope.USER, "bo", budget_for(starts))

    def entries(self, owner: str) -> list[Entry]:
        """All that the ledger has of somebody, whether or not it has ended."""
        wanted = select(entries.c.id).where(entries.c.owner == owner)
        with self._store.read() as connection:
            ids = list(connection.execute(wanted).scalars())
        return [entry for id_ in ids if (entry := self.ledger.entry(id_))]

    def running(self, owner: str) -> list[Line]:
        """What of it has not ended."""
        return self.ledger.open_lines(owner)


@contextlib.contextmanager
def place_in(folder: Path) -> Iterator[Place]:
    """A started Hubyard with its people; gone at the end."""
    profiles = [profile(COMPUTE, PRICE), profile(CLOSED, "0", groups=("vips",))]
    with cheap(folder, profiles) as hubyard:
        ana = hubyard.administrator("ana")
        bo, eve = (hubyard.person(name, admits=ana) for name in ("bo", "eve"))
        place = Place(hubyard, ana, bo, eve)
        try:
            yield place
        finally:
            place.close()
