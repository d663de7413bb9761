"""A wish: a row that says which workload shall be where.

Runs, deployments and apps are wishes of one shape. What is asked of one changes its
row and returns; the reconciler then brings the workload there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, select, update

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.errors import Conflict, NotFound, Rejected
from hubyard.contract.workload import Kind, ServerName, Status, Target
from hubyard_hub.money.lines import newest_lines
from hubyard_hub.money.usage import requests_of
from hubyard_hub.store import insert_once
from hubyard_hub.workloads.running import server_url
from hubyard_spawner.catalogue import why_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.identity import Identity
    from hubyard.contract.project import Project
    from hubyard_hub.money.lines import Line
    from hubyard_hub.parts import Parts

Row = Mapping[str, Any]
"""One row of a table, by its columns' names."""

_LIST_LENGTH = 100
_ACTIVE = [status for status in Status if status.is_active]
_BEGUN = [status for status in _ACTIVE if status is not Status.PENDING]
FRESH_START: dict[str, Any] = {
    "status": Status.PENDING,
    "target": Target.RUNNING,
    "closed": False,
    "attempts": 0,
    "reason": None,
    "log_tail": None,
}
"""The columns of a wish that is started once more."""


@dataclass(frozen=True)
class Bill:
    """What a wish's newest workload costs, and until when it may."""

    price: money.Money
    cost: money.Money | None = None
    deadline: datetime | None = None
    requests: int | None = None
    per_thousand: money.Money | None = None


class Wishes:
    """The wishes of one kind."""

    def __init__(self, parts: Parts, kind: Kind, table: Table) -> None:
        self.parts, self.kind, self.table = parts, kind, table

    def new(
        self,
        asking: Identity,
        id_: str,
        name: str,
        compute: str | None,
        lifetime_s: int | None,
        project: Project | None = None,
    ) -> dict[str, Any]:
        """The shared columns of a fresh wish; nothing is written yet.

        Raises:
            Invalid, Forbidden: no such compute for this owner, or not for so long.
            Rejected: this machine cannot give that compute.
        """
        wished = compute or (project.compute if project else None)
        chosen, seconds = choose_compute(self.parts, asking, wished, lifetime_s)
        wish = new_wish(self.kind, id_, asking.name, name, chosen, seconds)
        return {**wish, "project": project.name if project else None}

    def rows(self, owner: str, *conditions: Any) -> list[Row]:  # noqa: ANN401  SQLAlchemy's own word for what a condition may be
        """An owner's wishes, those that have not ended first, each part newest first.

        All that have begun are there, however many newer ones there are; of those
        that wait, and of those that have ended, the newest hundred.
        """
        columns = self.table.c
        mine = select(self.table).where(columns.owner == owner, *conditions)
        newest = mine.order_by(columns.created_at.desc(), columns.id.desc())
        parts = (
            newest.where(columns.status.in_(_BEGUN)),
            newest.where(columns.status == Status.PENDING).limit(_LIST_LENGTH),
            newest.where(columns.status.not_in(_ACTIVE)).limit(_LIST_LENGTH),
        )
        with self.parts.store.read() as connection:
            return [row for part in parts for row in all_rows(connection, part)]

    def row(self, owner: str, id_: str) -> Row:
        """One wish of an owner.

        Raises:
            NotFound: there is none, or it is another's.
        """
        with self.parts.store.read() as connection:
            return self._find(connection, owner, id_)

    def insert(
        self, values: Row, beside: Callable[[Connection], None] = lambda _: None
    ) -> None:
        """Write a fresh wish, and what belongs to it, and wake the reconciler."""

        def work(connection: Connection) -> None:
            insert_once(connection, self.table, values)
            beside(connection)

        self._then_wake(work)

    def start(self, owner: str, id_: str) -> None:
        """Wish that it runs; a wish that is active already stays as it is.

        Raises:
            NotFound: there is none, or it is another's.
            Conflict: its last workload is still ending.
        """

        def work(connection: Connection) -> None:
            row = self._find(connection, owner, id_)
            if row["status"].is_active and row["target"] is Target.RUNNING:
                return
            if not row["closed"]:
                raise Conflict("It is still ending: try again in a moment.")
            self._change(connection, id_, **self._fresh_start(connection, row))

        self._then_wake(work)

    def stop(self, owner: str, id_: str) -> None:
        """Wish that it ends; one that has ended stays as it is.

        Raises:
            NotFound: there is none, or it is another's.
        """

        def work(connection: Connection) -> None:
            row = self._find(connection, owner, id_)
            if row["status"].is_active:
                self._change(connection, id_, target=Target.STOPPED)

        self._then_wake(work)

    def remove(self, owner: str, id_: str) -> None:
        """Forget a wish, at the hub and here.

        Raises:
            NotFound: there is none, or it is another's.
            Conflict: it is active.
            Unavailable: the hub does not answer.
        """
        row = self.row(owner, id_)
        if row["status"].is_active or not row["closed"]:
            raise Conflict("It is active: stop it first, and wait for its end.")
        self.parts.hub.stop(owner, row["server_name"], forget=True)
        gone = delete(self.table).where(
            self.table.c.id == id_, self.table.c.closed.is_(other=True)
        )
        self.parts.store.atomically(lambda c: c.execute(gone) and None)

    def bills(self, rows: Iterable[Row]) -> dict[str, Bill]:
        """The bills of some wishes of one owner, by the wish's id."""
        rows = list(rows)
        if not rows:
            return {}
        names = [row["server_name"] for row in rows]
        with self.parts.store.read() as connection:
            lines = newest_lines(connection, rows[0]["owner"], names)
            answered = requests_of(connection, [n.entry.id for n in lines.values()])
        return {row["id"]: self._bill(row, lines, answered) for row in rows}

    def url(self, row: Row) -> str:
        """Where people reach its workload; ends in a slash."""
        return server_url(
            self.parts.settings.public_url, row["owner"], row["server_name"]
        )

    def _bill(
        self, row: Row, lines: Mapping[str, Line], answered: Mapping[str, int]
    ) -> Bill:
        line = lines.get(row["server_name"])
        if line is None or line.entry.id == row["past_entry_id"]:
            return Bill(price_before(self.parts, row["compute"]))
        currency, cost = line.entry.currency, line.cost_micros(now())
        requests = answered.get(line.entry.id)
        each = money.cost(cost * 1000 // requests, currency) if requests else None
        return Bill(
            price=money.price(line.entry.price_micros, currency),
            cost=money.cost(cost, currency),
            deadline=None if line.end else line.deadline.at,
            requests=requests,
            per_thousand=each,
        )

    def _find(self, connection: Connection, owner: str, id_: str) -> Row:
        columns = self.table.c
        wanted = select(self.table).where(columns.owner == owner, columns.id == id_)
        found = all_rows(connection, wanted)
        if not found:
            raise NotFound(f"There is no such {self.kind}, or it is not yours.")
        return found[0]

    def _fresh_start(self, connection: Connection, row: Row) -> dict[str, Any]:
        lines = newest_lines(connection, row["owner"], [row["server_name"]])
        line = lines.get(row["server_name"])
        return {**FRESH_START, "past_entry_id": line.entry.id if line else None}

    def _change(self, connection: Connection, id_: str, **values: Any) -> None:  # noqa: ANN401  columns of many types
        changed = update(self.table).where(self.table.c.id == id_)
        connection.execute(changed.values(changed_at=now(), **values))

    def _then_wake(self, work: Callable[[Connection], None]) -> None:
        self.parts.store.atomically(work)
        self.parts.wake.set()


def new_wish(
    kind: Kind, id_: str, owner: str, name: str, compute: str, lifetime_s: int
) -> dict[str, Any]:
    """The shared columns of a wish that is made now."""
    moment = now()
    return {
        "id": id_,
        "owner": owner,
        "name": name,
        "server_name": str(ServerName(kind=kind, id=id_)),
        "compute": compute,
        "lifetime_s": lifetime_s,
        "status": Status.PENDING,
        "target": Target.RUNNING,
        "attempts": 0,
        "closed": False,
        "created_at": moment,
        "changed_at": moment,
    }


def choose_compute(
    parts: Parts, asking: Identity, compute: str | None, lifetime_s: int | None
) -> tuple[str, int]:
    """The name of the compute and the lifetime in seconds that somebody gets.

    Raises:
        Invalid, Forbidden: no such compute for this owner, or not for so long.
        Rejected: this machine cannot give that compute.
    """
    profile, seconds = parts.catalogue.plan(compute, asking.groups, lifetime_s)
    reason = why_unavailable(profile)
    if reason is not None:
        raise Rejected(
            f"{profile.name} {reason}: choose other compute.", field="compute"
        )
    return profile.name, seconds


def price_before(parts: Parts, compute: str) -> money.Money:
    """The catalogue's price per hour: what a start now would freeze."""
    catalogue = parts.catalogue
    profile = catalogue.heir(compute)
    if profile is not None:
        return money.price(profile.price, catalogue.currency)
    return money.Money(micros=0, text="no longer offered")


def all_rows(connection: Connection, wanted: Any) -> list[Row]:  # noqa: ANN401  any select
    """The rows of a select, as mappings that outlive the connection."""
    return [dict(row) for row in connection.execute(wanted).mappings()]
