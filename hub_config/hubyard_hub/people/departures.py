"""Departures: the rows that say whose access has ended, made and shown.

To make one changes the rows of that person in the same transaction: no schedule of
theirs fires from then on. The rest is brought about by `job`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.people import Departure, Holdings, Leaving, OffboardRequest
from hubyard.contract.workload import Status, Target, new_id
from hubyard_hub.money.lines import IS_OPEN, LINES, OLDEST_FIRST, read_lines
from hubyard_hub.people import aside
from hubyard_hub.store import insert_once, tables
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Table

    from hubyard_hub.store import Store
    from hubyard_hub.workloads.wishes import Row

RETIRED = "This name is retired: somebody who has left had it. Choose another one."
BY_HUB = "the hub"
"""Who asked, where a user was found to be gone."""
_IN_FORCE = tables.departures.c.released_at.is_(None)
_NEWEST_FIRST = tables.departures.c.id.desc()
_LIST_LENGTH = 500


@dataclass(frozen=True)
class Terms:
    """What a departure ends."""

    row: Row

    @property
    def is_final(self) -> bool:
        """Whether they have left for good."""
        return self.row["how"] is Leaving.RETIRED

    @property
    def why(self) -> str:
        """What their schedules say."""
        return aside.LEFT if self.is_final else aside.BARRED

    @property
    def former(self) -> str:
        """The owner of what is set aside."""
        return f"{self.row['name']}/{self.row['id']}"

    def ends_serving(self, moment: datetime) -> bool:
        """Whether deployments and apps end as well, or still have their grace."""
        is_over = moment >= self.row["grace_until"]
        return not self.is_final or self.row["deputy"] is not None or is_over


class Departures:
    """The departures of everybody. Who may make one is decided by who asks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- what is asked for -----------------------------------------------------------

    def offboard(self, name: str, request: OffboardRequest, asked_by: str) -> Departure:
        """End somebody's access for good; asked again, it may name a deputy.

        Raises:
            Invalid: the deputy cannot be one.
        """
        id_, moment = new_id(), now()
        deputy = request.deputy

        def work(connection: Connection) -> None:
            _check_deputy(connection, name, deputy)
            found = in_force(connection, name)
            if found is not None and found["how"] is Leaving.RETIRED:
                _ask_again(connection, found, deputy)
                return
            if found is not None:
                _change(connection, found["id"], closed_at=moment, released_at=moment)
            grace = timedelta(seconds=request.grace_s)
            row = _row(id_, name, Leaving.RETIRED, asked_by, moment)
            row |= {"deputy": deputy, "grace_until": moment + grace}
            _begin(connection, row)

        self._store.atomically(work)
        return self.of(name)

    def bar(self, name: str, asked_by: str) -> None:
        """End somebody's access until they are admitted again."""
        id_, moment = new_id(), now()

        def work(connection: Connection) -> None:
            if in_force(connection, name) is None:
                row = _row(id_, name, Leaving.BARRED, asked_by, moment)
                _begin(connection, row)

        self._store.atomically(work)

    def release(self, name: str) -> None:
        """Let somebody who was barred come back, or a name that was retired be used.

        What was paused stays so; what was set aside does not come back.

        Raises:
            NotFound: nobody of that name has left.
            Conflict: something of theirs is still ending.
        """
        moment = now()

        def work(connection: Connection) -> None:
            found = in_force(connection, name)
            if found is None:
                raise NotFound(f"Nobody called {name} has left.")
            if found["how"] is Leaving.RETIRED and found["closed_at"] is None:
                raise Conflict(f"{name} is still being offboarded: {found['left']}.")
            closed = found["closed_at"] or moment
            _change(connection, found["id"], closed_at=closed, released_at=moment)

        self._store.atomically(work)

    def arrive(self, name: str) -> None:
        """The hub makes a user: nothing that stands under this name is theirs.

        Raises:
            Conflict: the name is retired.
        """
        id_, moment = new_id(), now()

        def work(connection: Connection) -> None:
            found = in_force(connection, name)
            if found is not None and found["how"] is Leaving.RETIRED:
                raise Conflict(RETIRED)
            if not aside.has_anything(connection, name):
                return
            row = _row(id_, name, Leaving.RETIRED, BY_HUB, moment)
            row |= {"closed_at": moment, "released_at": moment}
            if insert_once(connection, tables.departures, row):
                aside.suspend(connection, name, aside.LEFT, serving=True)
                aside.set_aside(connection, name, Terms(row).former)

        self._store.atomically(work)

    # -- what there is ---------------------------------------------------------------

    def of(self, name: str) -> Departure:
        """The departure that is in force; NotFound where there is none."""
        row = self.row(name)
        if row is None:
            raise NotFound(f"Nobody called {name} has left.")
        return Departure(**row)

    def row(self, name: str) -> Row | None:
        """The row of the departure that is in force."""
        with self._store.read() as connection:
            return in_force(connection, name)

    def is_retired(self, name: str) -> bool:
        """Whether nobody may have this name now."""
        row = self.row(name)
        return row is not None and row["how"] is Leaving.RETIRED

    def list(self) -> list[Departure]:
        """All, newest first."""
        wanted = select(tables.departures).order_by(_NEWEST_FIRST).limit(_LIST_LENGTH)
        with self._store.read() as connection:
            return [Departure(**row) for row in all_rows(connection, wanted)]

    def open_rows(self) -> list[Row]:
        """Those that something is left to do for, oldest first."""
        table = tables.departures
        wanted = select(table).where(table.c.closed_at.is_(None)).order_by(table.c.id)
        with self._store.read() as connection:
            return all_rows(connection, wanted)

    def holdings(self, name: str) -> Holdings:
        """What somebody has that a departure would end or move."""
        with self._store.read() as connection:
            found = in_force(connection, name)
            return Holdings(
                name=name,
                leaving=found["how"] if found else None,
                **_holdings(connection, name),
            )

    def is_known(self, name: str) -> bool:
        """Whether anything stands under this name."""
        with self._store.read() as connection:
            return in_force(connection, name) is not None or aside.has_anything(
                connection, name
            )


def in_force(connection: Connection, name: str) -> Row | None:
    """The departure of a name that nobody has released."""
    departures = tables.departures
    mine = select(departures).where(departures.c.name == name, _IN_FORCE)
    found = all_rows(connection, mine.order_by(_NEWEST_FIRST).limit(1))
    return found[0] if found else None


def busy_owners(store: Store) -> set[str]:
    """Whoever has a schedule that fires, or a wish that has not ended."""
    schedules = tables.schedules
    found: set[str] = set()
    with store.read() as connection:
        awake = select(schedules.c.owner).where(schedules.c.paused.is_(other=False))
        found.update(connection.scalars(awake.distinct()))
        for table in (tables.runs, tables.deployments, tables.apps):
            open_ = select(table.c.owner).where(table.c.closed.is_(other=False))
            found.update(connection.scalars(open_.distinct()))
    return found


def _row(
    id_: str, name: str, how: Leaving, asked_by: str, moment: datetime
) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "how": how,
        "deputy": None,
        "asked_by": asked_by,
        "asked_at": moment,
        "grace_until": moment,
        "running": [],
        "left": "everything is still ending",
        "revoked_at": None,
        "closed_at": None,
        "released_at": None,
    }


def _begin(connection: Connection, row: dict[str, Any]) -> None:
    """Write a departure down, and end what can be ended here."""
    name = row["name"]
    row["running"] = aside.serving_ids(connection, name)
    if insert_once(connection, tables.departures, row):
        terms = Terms(row)
        serving = terms.ends_serving(row["asked_at"])
        aside.suspend(connection, name, terms.why, serving=serving)


def _ask_again(connection: Connection, row: Row, deputy: str | None) -> None:
    """Name a deputy later: also for what was set aside already."""
    if deputy is None:
        return
    _change(connection, row["id"], deputy=deputy)
    if row["closed_at"] is not None:
        former = Terms(row).former
        aside.hand_over(connection, former, deputy, row["running"])


def _check_deputy(connection: Connection, name: str, deputy: str | None) -> None:
    if deputy == name:
        raise Invalid("Name somebody else as the deputy.", field="deputy")
    if deputy is not None and in_force(connection, deputy) is not None:
        raise Invalid(f"{deputy} has left as well: name another.", field="deputy")


def _change(connection: Connection, id_: str, **values: Any) -> None:  # noqa: ANN401  columns of many types
    departures = tables.departures
    mine = update(departures).where(departures.c.id == id_)
    connection.execute(mine.values(**values))


def _holdings(connection: Connection, name: str) -> dict[str, Any]:
    def count(table: Table, *conditions: Any) -> int:  # noqa: ANN401  SQLAlchemy's own
        wanted = select(func.count()).select_from(table).where(*conditions)
        return int(connection.scalar(wanted) or 0)

    schedules, shares = tables.schedules, tables.app_shares
    awake = schedules.c.owner == name, schedules.c.paused.is_(other=False)
    lines = LINES.where(IS_OPEN, tables.entries.c.owner == name)
    return {
        "schedules": tuple(connection.scalars(select(schedules.c.name).where(*awake))),
        "workloads": tuple(
            line.name for line in read_lines(connection, lines.order_by(OLDEST_FIRST))
        ),
        "runs": count(tables.runs, *_active(tables.runs, name)),
        "deployments": _names(connection, tables.deployments, name),
        "apps": _names(connection, tables.apps, name),
        "shares": count(shares, shares.c.kind == "user", shares.c.name == name),
    }


def _names(connection: Connection, table: Table, name: str) -> tuple[str, ...]:
    wanted = select(table.c.name).where(*_active(table, name))
    return tuple(connection.scalars(wanted))


def _active(table: Table, name: str) -> tuple[Any, ...]:
    active = [status for status in Status if status.is_active]
    shall_run = table.c.target == Target.RUNNING
    return table.c.owner == name, table.c.status.in_(active), shall_run
