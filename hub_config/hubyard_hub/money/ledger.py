"""The ledger: every workload's start and end, and so every cost.

An entry is inserted before the process exists and never changed; a settlement is
inserted once, by whoever notices the end first. What anything costs follows from the
two by `hubyard.contract.entry`, on every surface alike.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from hubyard.contract.entry import Deadline, EndReason, Entry, cost_micros
from hubyard.contract.errors import Unavailable
from hubyard_hub.money.attribution import accounts_of, attributed
from hubyard_hub.money.budgets import admit
from hubyard_hub.money.lines import (
    IS_OPEN,
    LINES,
    NEWEST_FIRST,
    OLDEST_FIRST,
    read_lines,
)
from hubyard_hub.money.present import IS_PRESENT
from hubyard_hub.money.reservation import Charge
from hubyard_hub.store import in_words, insert_once
from hubyard_hub.store.tables import charges, deadlines, entries, settlements, sightings

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Select

    from hubyard.contract.entry import Settlement
    from hubyard_hub.money.lines import Line
    from hubyard_hub.store import Store

_LOG = logging.getLogger(__name__)

_SIGHTING_EVERY = timedelta(seconds=15)


class Ledger:
    """The spawner's `Meter`, kept in the store, and the questions asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, datetime] = {}

    # -- the meter -----------------------------------------------------------------

    def open(self, entry: Entry) -> None:
        """Write an entry, before its process exists, where the budgets cover it.

        Raises:
            BudgetSpent: one of them does not; nothing was written.
            Unavailable: the database fails; whether it was written is open.
        """
        with in_words():
            self._store.atomically(lambda c: _open(c, entry))

    def saw(self, entry_id: str, at: datetime) -> None:
        """Note that a workload lives, at most every fifteen seconds.

        A note that cannot be written at once is left out: the next one will do.
        """
        noted = self._noted.get(entry_id)
        if noted is not None and at - noted < _SIGHTING_EVERY:
            return
        try:
            with self._store.write() as connection:
                _note(connection, entry_id, at)
        except (SQLAlchemyError, Unavailable) as error:
            _LOG.warning("%s is not noted: %s", entry_id, type(error).__name__)
            return
        self._noted[entry_id] = at

    def last_seen(self, entry_id: str) -> datetime | None:
        """The newest moment at which a workload was noted to live."""
        wanted = select(sightings.c.seen_at).where(sightings.c.entry_id == entry_id)
        with in_words(), self._store.read() as connection:
            return connection.execute(wanted).scalar_one_or_none()

    def settle(self, settlement: Settlement) -> bool:
        """Write an end, once; whether this was the first."""
        self._noted.pop(settlement.entry_id, None)
        with in_words():
            return self._store.atomically(lambda c: _settle(c, settlement))

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id."""
        line = self.line(entry_id)
        return line.entry if line else None

    def open_entries(
        self, owner: str | None = None, server_name: str | None = None
    ) -> list[Entry]:
        """Entries without an end, oldest first."""
        return [line.entry for line in self.open_lines(owner, server_name)]

    # -- the questions ---------------------------------------------------------------

    def line(self, entry_id: str) -> Line | None:
        """The line of an entry."""
        found = self._lines(LINES.where(entries.c.id == entry_id))
        return found[0] if found else None

    def open_lines(
        self, owner: str | None = None, server_name: str | None = None
    ) -> list[Line]:
        """Lines without an end, oldest first."""
        wanted = LINES.where(IS_OPEN)
        if owner is not None:
            wanted = wanted.where(entries.c.owner == owner)
        if server_name is not None:
            wanted = wanted.where(entries.c.server_name == server_name)
        return self._lines(wanted.order_by(OLDEST_FIRST))

    def newest(self, owner: str, server_name: str) -> Line | None:
        """The latest line of one server name."""
        wanted = LINES.where(
            entries.c.owner == owner, entries.c.server_name == server_name, IS_PRESENT
        )
        found = self._lines(wanted.order_by(NEWEST_FIRST).limit(1))
        return found[0] if found else None

    def _lines(self, wanted: Select[Any]) -> list[Line]:
        with in_words(), self._store.read() as connection:
            return read_lines(connection, wanted)


def _open(connection: Connection, entry: Entry) -> None:
    known = select(entries.c.id).where(entries.c.id == entry.id)
    if connection.execute(known).first() is not None:
        return  # kept by a commit whose answer was lost
    entry = attributed(connection, entry)
    over = entry.started_at + timedelta(seconds=entry.lifetime_s)
    accounts = accounts_of(entry.owner, entry.groups, entry.project)
    start = Charge(entry.price_micros, entry.started_at, None, over)
    admit(connection, accounts, start)
    newest = connection.execute(select(func.max(entries.c.number))).scalar() or 0
    row = {**entry.model_dump(), "number": newest + 1}
    connection.execute(entries.insert().values(**row))
    for account in accounts:
        connection.execute(charges.insert().values(entry_id=entry.id, **dict(account)))
    write_deadline(
        connection, entry.id, over, Deadline(at=over, reason=EndReason.LIFETIME)
    )


def _settle(connection: Connection, settlement: Settlement) -> bool:
    wanted = LINES.where(entries.c.id == settlement.entry_id)
    (line,) = read_lines(connection, wanted)
    cost = cost_micros(line.entry, settlement.ended_at)
    row = {**settlement.model_dump(), "cost_micros": cost}
    return insert_once(connection, settlements, row)


def _note(connection: Connection, entry_id: str, at: datetime) -> None:
    newer = sightings.update().where(sightings.c.entry_id == entry_id)
    if connection.execute(newer.values(seen_at=at)).rowcount == 0:
        insert_once(connection, sightings, {"entry_id": entry_id, "seen_at": at})


def write_deadline(
    connection: Connection, entry_id: str, lifetime_at: datetime, deadline: Deadline
) -> None:
    """Keep when a workload ends, and when its lifetime alone would end it."""
    values = {"lifetime_at": lifetime_at, **dict(deadline)}
    moved = deadlines.update().where(deadlines.c.entry_id == entry_id)
    if connection.execute(moved.values(**values)).rowcount == 0:
        connection.execute(deadlines.insert().values(entry_id=entry_id, **values))
