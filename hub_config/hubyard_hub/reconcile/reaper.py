"""The reaper: keeps every deadline where lifetime, idleness and budget put it.

It ends nothing itself. What it decides stands in the database, for people to see, and
in the workload's folder, where its shim keeps it on time whatever becomes of the hub
and the platform.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.budget import Account, WhenSpent
from hubyard.contract.workload import Kind
from hubyard_hub.money.budgets import limits
from hubyard_hub.money.lines import IS_OPEN, LINES, read_lines
from hubyard_hub.money.usage import idle_since
from hubyard_hub.store.tables import charges, deadlines, entries
from hubyard_hub.workloads.running import promised
from hubyard_spawner.lifetime import Facts, deadline
from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.entry import Deadline
    from hubyard_hub.money.budgets import Limit
    from hubyard_hub.money.lines import Line
    from hubyard_hub.parts import Books


@dataclass(frozen=True)
class _Seen:
    """What one look has found."""

    lines: list[Line]
    idle: dict[str, datetime]
    promised: dict[str, datetime]
    payers: dict[str, list[Limit]]
    """The spent hard budgets that pay for an entry."""


def reap(books: Books) -> int:
    """Put every deadline where it belongs; returns how many were moved."""
    seen = _look(books)
    limit = books.catalogue.idle.limit
    moved = 0
    for line in seen.lines:
        folder = Folder.of(books.settings.workloads, line.entry.id)
        kind = line.entry.kind
        seconds = limit(kind)
        spent = seen.payers.get(line.entry.id, [])
        facts = Facts(
            kind=kind,
            moment=folder.now(),
            lifetime_at=line.lifetime_at,
            before=line.deadline,
            idle_since=seen.idle.get(line.entry.id),
            idle_limit=None if seconds is None else timedelta(seconds=seconds),
            spent=bool(spent),
            kept=_is_kept(kind, spent),
            promised=seen.promised.get(line.entry.id),
        )
        moved += _keep(books, line, deadline(facts), folder)
    return moved


def _look(books: Books) -> _Seen:
    with books.store.read() as connection:
        lines = read_lines(connection, LINES.where(IS_OPEN))
        spent = [
            limit
            for limit in limits(connection, None, now())
            if limit.is_hard and limit.standing.is_spent
        ]
        return _Seen(
            lines=lines,
            idle=idle_since(connection, [line.entry.id for line in lines]),
            promised=promised(connection),
            payers=_payers(connection, spent) if spent else {},
        )


def _payers(connection: Connection, spent: list[Limit]) -> dict[str, list[Limit]]:
    open_ids = LINES.where(IS_OPEN).with_only_columns(entries.c.id)
    accounts: dict[str, set[Account]] = {}
    wanted = select(charges).where(charges.c.entry_id.in_(open_ids))
    for row in connection.execute(wanted).mappings():
        account = Account(scope=row["scope"], name=row["name"])
        accounts.setdefault(row["entry_id"], set()).add(account)
    return {
        entry: [limit for limit in spent if limit.pays(counted)]
        for entry, counted in accounts.items()
    }


def _is_kept(kind: Kind, spent: list[Limit]) -> bool:
    """Whether every spent budget lets it go on."""
    serves = kind in {Kind.ENDPOINT, Kind.APP}
    return serves and all(limit.endpoints is WhenSpent.KEEP for limit in spent)


def _keep(books: Books, line: Line, wanted: Deadline, folder: Folder) -> bool:
    """Write a deadline down, here and there; whether it was another one before."""
    changed = wanted != line.deadline
    if changed:
        # Nothing is written where somebody has extended it meanwhile.
        still = deadlines.update().where(
            deadlines.c.entry_id == line.entry.id,
            deadlines.c.lifetime_at == line.lifetime_at,
            deadlines.c.at == line.deadline.at,
        )
        moved = still.values(**dict(wanted))
        if not books.store.atomically(lambda c: c.execute(moved).rowcount):
            return False
    with contextlib.suppress(OSError):  # its folder is not made yet
        folder.move_deadline(wanted)
    return changed
