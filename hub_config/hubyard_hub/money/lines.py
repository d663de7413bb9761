"""Lines: an entry of the ledger with its end, if it has come, and its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.entry import Deadline, Entry, Settlement, cost_micros
from hubyard_hub.money.reservation import Charge
from hubyard_hub.store.tables import deadlines, entries, settlements

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Row, Select

LINES = select(entries, settlements, deadlines).outerjoin(settlements).join(deadlines)
"""Every line; narrow it down, and put it in order."""
IS_OPEN = settlements.c.entry_id.is_(None)
OLDEST_FIRST = entries.c.number
NEWEST_FIRST = entries.c.number.desc()
"""The ledger counts its entries: clocks may be set back."""


@dataclass(frozen=True)
class Line:
    """What the ledger knows of one workload."""

    entry: Entry
    end: Settlement | None
    deadline: Deadline
    lifetime_at: datetime
    """When its lifetime is over, extensions included."""

    def cost_micros(self, moment: datetime) -> int:
        """What it has cost: in all, or until a moment where it has not ended."""
        return cost_micros(self.entry, self.end.ended_at if self.end else moment)

    @property
    def name(self) -> str:
        """What people call the workload."""
        return called(self.entry.name, self.entry.server_name)

    @property
    def charge(self) -> Charge:
        """What its costs follow from."""
        return Charge(
            price_micros=self.entry.price_micros,
            started_at=self.entry.started_at,
            ended_at=self.end.ended_at if self.end else None,
            lifetime_at=self.lifetime_at,
        )


def read_lines(connection: Connection, wanted: Select[Any]) -> list[Line]:
    """The lines of a select made of `LINES`."""
    return [_line(row) for row in connection.execute(wanted)]


def newest_lines(
    connection: Connection, owner: str, server_names: Iterable[str]
) -> dict[str, Line]:
    """The newest line of each server of an owner that has one."""
    wanted = LINES.where(
        entries.c.owner == owner, entries.c.server_name.in_(server_names)
    )
    found = read_lines(connection, wanted.order_by(OLDEST_FIRST))
    return {line.entry.server_name: line for line in found}


def called(name: str | None, server_name: str) -> str:
    """What people call a workload, which its owner may have named."""
    return name or server_name or "workspace"


def _line(row: Row[Any]) -> Line:
    by_column = row._mapping  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  public in SQLAlchemy
    said = {c.name: by_column[c] for c in entries.c if by_column[c] is not None}
    ended = by_column[settlements.c.entry_id] is not None
    end = {c.name: by_column[c] for c in settlements.c}
    at, reason = by_column[deadlines.c.at], by_column[deadlines.c.reason]
    return Line(
        entry=Entry(**said),
        end=Settlement(**end) if ended else None,
        deadline=Deadline(at=at, reason=reason),
        lifetime_at=by_column[deadlines.c.lifetime_at],
    )
