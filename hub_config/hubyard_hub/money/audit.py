"""The audit: whether the ledger can be true, looked at line by line.

It changes nothing. Every fault names its entry, in words that say what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from hubyard.contract.entry import milliseconds
from hubyard.contract.money import cost_of
from hubyard_hub.store.tables import charges, deadlines, entries, settlements
from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from hubyard_hub.store import Store

SLACK = timedelta(seconds=30)
"""How late an end may come, or be noticed: before the last process lies a grace."""


@dataclass(frozen=True)
class Verdict:
    """What an audit has found."""

    entries: int
    open: int
    faults: tuple[str, ...]


def audit(store: Store, workloads: Path, moment: datetime) -> Verdict:
    """Look at every line of the ledger, and at the folders of what is open."""
    with store.read() as connection:
        wanted = (
            select(entries, settlements, deadlines)
            .outerjoin(settlements)
            .outerjoin(deadlines)
            .order_by(entries.c.number)
        )
        rows = connection.execute(wanted).mappings().all()
        charged = set(connection.execute(select(charges.c.entry_id)).scalars())
    faults = [
        *_misnumbered(rows),
        *(fault for row in rows for fault in _faults(row, charged, moment)),
        *_overlaps(rows),
        *_dead(rows, workloads, moment),
    ]
    still_open = sum(row[settlements.c.entry_id] is None for row in rows)
    return Verdict(entries=len(rows), open=still_open, faults=tuple(faults))


def _misnumbered(rows: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    """A gap in the numbers is an entry that was taken out."""
    for expected, row in enumerate(rows, 1):
        if row[entries.c.number] != expected:
            yield f"{_name(row)} has number {row[entries.c.number]}, not {expected}"
            return


def _faults(
    row: Mapping[Any, Any], charged: set[str], moment: datetime
) -> Iterator[str]:
    """What is wrong with one line by itself."""
    name = _name(row)
    if row[entries.c.id] not in charged:
        yield f"{name} counts for nobody"
    if row[deadlines.c.entry_id] is None:
        yield f"{name} has no deadline"
    elif row[settlements.c.entry_id] is not None:
        yield from (f"{name} {says}" for says in _untrue_end(row, moment))


def _untrue_end(row: Mapping[Any, Any], moment: datetime) -> Iterator[str]:
    """What is wrong with an end."""
    started, ended = row[entries.c.started_at], row[settlements.c.ended_at]
    latest = row[settlements.c.latest_at] or ended
    late = ended - row[deadlines.c.lifetime_at]
    cost = cost_of(row[entries.c.price_micros], milliseconds(started, ended))
    kept = row[settlements.c.cost_micros]
    wrong = {
        "ended before it started": ended < started,
        "ended in the future": ended > moment + SLACK,
        f"outlived its lifetime by {late}": late > SLACK,
        "ended after the moment by which it had ended": latest < ended,
        f"cost {kept} and not {cost} micro-units": kept != cost,
    }
    return (says for says, is_so in wrong.items() if is_so)


def _overlaps(rows: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    """Two lines of one server at one time: somebody pays twice."""
    last: dict[tuple[str, str], Mapping[Any, Any]] = {}
    for row in rows:
        server = row[entries.c.owner], row[entries.c.server_name]
        before = last.get(server)
        last[server] = row
        if before is None:
            continue
        ended = before[settlements.c.ended_at]
        if ended is None or ended > row[entries.c.started_at]:
            yield f"{_name(row)} started before {_name(before)} had ended"


def _dead(
    rows: Sequence[Mapping[Any, Any]], workloads: Path, moment: datetime
) -> Iterator[str]:
    """Open lines of workloads that ended so long ago that it should be noticed."""
    for row in rows:
        if row[settlements.c.entry_id] is not None:
            continue
        folder = Folder.of(workloads, row[entries.c.id])
        if folder.shim() is not None:
            continue
        if moment - folder.last_lived(row[entries.c.started_at]) > SLACK:
            yield f"{_name(row)} is open, and nothing of it runs"


def _name(row: Mapping[Any, Any]) -> str:
    server = row[entries.c.server_name] or "workspace"
    return f"{row[entries.c.owner]}/{server} ({row[entries.c.id]})"
