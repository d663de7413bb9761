"""The ledger: every workload's start and end, and so every cost.

An entry is inserted before the process exists and never changed; a settlement is
inserted once, by whoever notices the end first. What anything costs follows from the
two by `hubyard.contract.entry`, on every surface alike.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Row, Select, select
from sqlalchemy.exc import SQLAlchemyError

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.entry import (
    Entry,
    Settlement,
    Spend,
    SpendLine,
    cost_micros,
)
from hubyard.contract.workload import Kind, Workload
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import entries, settlements, sightings

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection

    from hubyard_hub.store import Store

_LOG = logging.getLogger(__name__)

Line = tuple[Entry, Settlement | None]
"""An entry and its settlement, if it has ended."""

_SIGHTING_EVERY = timedelta(seconds=15)
_LINES_SHOWN = 100


class Ledger:
    """The spawner's `Meter`, kept in the store, and the questions asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, datetime] = {}

    # -- the meter -----------------------------------------------------------------

    def open(self, entry: Entry) -> None:
        """Write an entry, before its process exists."""
        self._store.atomically(
            lambda c: insert_once(c, entries, entry.model_dump()) and None
        )

    def saw(self, entry_id: str, at: datetime) -> None:
        """Note that a workload lives, at most every fifteen seconds.

        A note that cannot be written is left out: the next one will do.
        """
        noted = self._noted.get(entry_id)
        if noted is not None and at - noted < _SIGHTING_EVERY:
            return
        try:
            self._store.atomically(lambda c: _note(c, entry_id, at))
        except SQLAlchemyError as error:
            _LOG.warning("%s is not noted: %s", entry_id, type(error).__name__)
            return
        self._noted[entry_id] = at

    def last_seen(self, entry_id: str) -> datetime | None:
        """The newest moment at which a workload was noted to live."""
        wanted = select(sightings.c.seen_at).where(sightings.c.entry_id == entry_id)
        with self._store.read() as connection:
            return connection.execute(wanted).scalar_one_or_none()

    def settle(self, settlement: Settlement) -> bool:
        """Write an end, once; whether this was the first."""
        self._noted.pop(settlement.entry_id, None)
        return self._store.atomically(
            lambda c: insert_once(c, settlements, settlement.model_dump())
        )

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id."""
        found = self._lines(_LINES.where(entries.c.id == entry_id))
        return found[0][0] if found else None

    def open_entries(
        self, owner: str | None = None, server_name: str | None = None
    ) -> list[Entry]:
        """Entries without an end, oldest first."""
        wanted = _LINES.where(settlements.c.entry_id.is_(None))
        if owner is not None:
            wanted = wanted.where(entries.c.owner == owner)
        if server_name is not None:
            wanted = wanted.where(entries.c.server_name == server_name)
        return [entry for entry, _ in self._lines(wanted.order_by(*_BY_AGE))]

    # -- the questions ---------------------------------------------------------------

    def settlement(self, entry_id: str) -> Settlement | None:
        """The end of an entry, if it has come."""
        found = self._lines(_LINES.where(entries.c.id == entry_id))
        return found[0][1] if found else None

    def newest(self, owner: str, server_name: str) -> Line | None:
        """The latest line of one server name."""
        wanted = _LINES.where(
            entries.c.owner == owner, entries.c.server_name == server_name
        )
        found = self._lines(wanted.order_by(*_NEWEST_FIRST).limit(1))
        return found[0] if found else None

    def lines_since(self, owner: str, since: datetime) -> list[Line]:
        """Lines that cost anything at or after a moment, newest first."""
        wanted = _LINES.where(
            entries.c.owner == owner,
            settlements.c.ended_at.is_(None) | (settlements.c.ended_at >= since),
        )
        return self._lines(wanted.order_by(*_NEWEST_FIRST))

    def active(self, owner: str, url: str) -> list[Workload]:
        """An owner's living workloads; `url` is the prefix of their addresses."""
        return [workload(entry, None, url) for entry in self.open_entries(owner)]

    def spend(self, owner: str, currency: str) -> Spend:
        """What an owner has spent since the first of the month, in UTC."""
        moment = now()
        since = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        lines = self.lines_since(owner, since)
        by_kind = dict.fromkeys(Kind, 0)
        for entry, settlement in lines:
            by_kind[entry.kind] += _cost_within(entry, settlement, since, moment)
        hourly = sum(entry.price_micros for entry, end in lines if end is None)
        return Spend(
            owner=owner,
            since=since,
            total=money.cost(sum(by_kind.values()), currency),
            per_hour=money.price(hourly, currency),
            by_kind={kind: money.cost(c, currency) for kind, c in by_kind.items()},
            lines=tuple(_spend_line(*line) for line in lines[:_LINES_SHOWN]),
        )

    def _lines(self, wanted: Select[Any]) -> list[Line]:
        with self._store.read() as connection:
            return [_line(row) for row in connection.execute(wanted)]


def _note(connection: Connection, entry_id: str, at: datetime) -> None:
    newer = sightings.update().where(sightings.c.entry_id == entry_id)
    if connection.execute(newer.values(seen_at=at)).rowcount == 0:
        insert_once(connection, sightings, {"entry_id": entry_id, "seen_at": at})


_BY_AGE = (entries.c.started_at, entries.c.id)
_NEWEST_FIRST = tuple(column.desc() for column in _BY_AGE)
_LINES = select(entries, settlements).outerjoin(settlements)


def _line(row: Row[Any]) -> Line:
    by_column = row._mapping  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  public in SQLAlchemy
    entry = Entry(**{c.name: by_column[c] for c in entries.c})
    if by_column[settlements.c.entry_id] is None:
        return entry, None
    return entry, Settlement(**{c.name: by_column[c] for c in settlements.c})


def _cost_within(
    entry: Entry, settlement: Settlement | None, since: datetime, moment: datetime
) -> int:
    """The part of a line's cost, in micro-units, that falls at or after `since`."""
    end = settlement.ended_at if settlement else moment
    return cost_micros(entry, end) - cost_micros(entry, max(since, entry.started_at))


def workload(entry: Entry, settlement: Settlement | None, url: str) -> Workload:
    """A line as its owner sees it; `url` is the prefix of workloads' addresses."""
    moment = now()
    deadline = entry.started_at + timedelta(seconds=entry.lifetime_s)
    ended_at = settlement.ended_at if settlement else None
    left = 0 if ended_at else max(round((deadline - moment).total_seconds()), 0)
    return Workload(
        entry_id=entry.id,
        kind=entry.kind,
        owner=entry.owner,
        server_name=entry.server_name,
        url=server_url(url, entry.owner, entry.server_name),
        compute=entry.compute,
        price=money.price(entry.price_micros, entry.currency),
        cost=money.cost(cost_micros(entry, ended_at or moment), entry.currency),
        limits=entry.limits,
        started_at=entry.started_at,
        deadline=deadline,
        ended_at=ended_at,
        seconds_left=left,
    )


def server_url(url: str, owner: str, server_name: str) -> str:
    """The address of a workload, below the public `url`; ends in a slash."""
    return f"{url}/user/{quote(owner, safe='@~')}/{server_name}".rstrip("/") + "/"


def _spend_line(entry: Entry, settlement: Settlement | None) -> SpendLine:
    shown = workload(entry, settlement, "")
    return SpendLine(
        entry_id=entry.id,
        kind=entry.kind,
        server_name=entry.server_name,
        compute=entry.compute,
        price=shown.price,
        cost=shown.cost,
        started_at=entry.started_at,
        ended_at=shown.ended_at,
        reason=settlement.reason if settlement else None,
    )
