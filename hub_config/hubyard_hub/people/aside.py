"""Aside: what becomes of the rows of somebody whose access has ended.

suspend   nothing of theirs fires, runs or serves from now on
hand over  schedules, deployments and apps get another owner, who starts from there
set aside  all that is left gets an owner whom nobody can be

The ledger never changes: what a later user of the name sees of it begins after the
departure of the one before (see `present`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update

from hubyard.contract.workload import Status, Target
from hubyard_hub.money.present import IS_PRESENT
from hubyard_hub.store import insert_once, tables
from hubyard_hub.workloads.wishes import FRESH_START, all_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

LEFT = "Its owner has left."
BARRED = "Its owner is not admitted any more."
_WISHES = (tables.runs, tables.deployments, tables.apps)
_SERVING = (tables.deployments, tables.apps)
_OWNED = (*_WISHES, tables.schedules, tables.sources, tables.notices)
"""All that names an owner, but the ledger and the cache of step runs."""
_ACTIVE = [status for status in Status if status.is_active]


def suspend(connection: Connection, name: str, why: str, *, serving: bool) -> None:
    """Pause the schedules, and wish that the workloads end.

    Args:
        connection: of the transaction.
        name: whose.
        why: what the schedules say.
        serving: whether deployments and apps end as well.
    """
    schedules = tables.schedules
    awake = schedules.c.owner == name, schedules.c.paused.is_(other=False)
    pause = update(schedules).where(*awake).values(paused=True, suspended=why)
    connection.execute(pause)
    for table in _WISHES if serving else (tables.runs,):
        running = (
            table.c.owner == name,
            table.c.status.in_(_ACTIVE),
            table.c.target == Target.RUNNING,
        )
        connection.execute(update(table).where(*running).values(target=Target.STOPPED))
    shares = tables.app_shares
    let_in = shares.c.kind == "user", shares.c.name == name
    connection.execute(delete(shares).where(*let_in))


def serving_ids(connection: Connection, name: str) -> list[str]:
    """The deployments and apps of somebody that shall run now."""
    found: list[str] = []
    for table in _SERVING:
        wanted = select(table.c.id).where(
            table.c.owner == name,
            table.c.status.in_(_ACTIVE),
            table.c.target == Target.RUNNING,
        )
        found += connection.scalars(wanted)
    return found


def is_at_rest(connection: Connection, name: str, *, serving: bool) -> bool:
    """Whether the hub has nothing left of somebody's wishes."""
    for table in _WISHES if serving else (tables.runs,):
        open_ = select(table.c.id).where(
            table.c.owner == name, table.c.closed.is_(other=False)
        )
        if connection.execute(open_.limit(1)).first() is not None:
            return False
    return True


def hand_over(
    connection: Connection, owner: str, deputy: str, running: Collection[str]
) -> None:
    """Give a deputy what an owner scheduled and served, as far as it has ended.

    Schedules stay suspended until the deputy lets them go on. Whoever made a webhook
    knows its secret, so that opens nothing any more.
    """
    _own_sources(connection, owner, deputy)
    schedules = tables.schedules
    mine = schedules.c.owner == owner
    gone = {"owner": deputy, "secret_hash": None, "seen": None}
    connection.execute(update(schedules).where(mine).values(**gone))
    for table in _SERVING:
        ended = select(table.c.id).where(
            table.c.owner == owner, table.c.closed.is_(other=True)
        )
        for id_ in list(connection.scalars(ended)):
            again = {**FRESH_START, "past_entry_id": None} if id_ in running else {}
            moved = update(table).where(table.c.id == id_)
            connection.execute(moved.values(owner=deputy, **again))


def _own_sources(connection: Connection, owner: str, deputy: str) -> None:
    """Let the deputy use what the schedules and apps were made from."""
    sources = tables.sources
    used = or_(
        *(
            sources.c.digest.in_(select(table.c.source).where(table.c.owner == owner))
            for table in (tables.schedules, tables.apps)
        )
    )
    wanted = select(sources).where(sources.c.owner == owner, used)
    for row in all_rows(connection, wanted):
        insert_once(connection, sources, {**row, "owner": deputy})


def set_aside(connection: Connection, name: str, former: str) -> None:
    """Give all that an owner still has to the former owner."""
    for table in _OWNED:
        mine = table.c.owner == name
        connection.execute(update(table).where(mine).values(owner=former))
    cached = tables.cached_steps
    connection.execute(delete(cached).where(cached.c.owner == name))


def has_anything(connection: Connection, name: str) -> bool:
    """Whether anything of this owner is there that no departure has set aside."""
    counted: list[Any] = [
        select(table.c.owner).where(table.c.owner == name) for table in _OWNED
    ]
    entries = tables.entries
    counted.append(select(entries.c.id).where(entries.c.owner == name, IS_PRESENT))
    return any(
        connection.execute(wanted.limit(1)).first() is not None for wanted in counted
    )
