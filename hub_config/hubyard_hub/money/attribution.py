"""Attribution: what a workload is for, and so whom its cost counts for.

The spawner knows who starts what. What it is a run, an endpoint or an app of stands
with its wish, which is looked up here, in the transaction that writes the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Table, select

from hubyard.contract.budget import Account, Scope
from hubyard.contract.workload import Kind
from hubyard_hub.store.tables import apps, deployments, revisions, runs

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection

    from hubyard.contract.entry import Entry

_WISHES: dict[Kind, Table] = {
    Kind.RUN: runs,
    Kind.ENDPOINT: deployments,
    Kind.APP: apps,
}


def attributed(connection: Connection, entry: Entry) -> Entry:
    """The entry with the name, project, schedule and model of what it is for."""
    table = _WISHES.get(entry.kind)
    if table is None:
        return entry
    mine = (table.c.owner == entry.owner, table.c.server_name == entry.server_name)
    wish = connection.execute(select(table).where(*mine)).mappings().first()
    if wish is None:
        return entry
    known: dict[str, Any] = {"name": wish["name"], "project": wish["project"]}
    if entry.kind is Kind.RUN:
        known["schedule_id"] = wish["schedule_id"]
    if entry.kind is Kind.ENDPOINT:
        known["model"] = _model(connection, wish["id"], wish["revision"])
    return entry.model_copy(update=known)


def accounts_of(
    owner: str, groups: tuple[str, ...], project: str | None
) -> list[Account]:
    """Everybody whom a cost counts for: its owner, her groups and the project."""
    found = [Account(scope=Scope.USER, name=owner)]
    found += [Account(scope=Scope.GROUP, name=group) for group in groups]
    if project is not None:
        found.append(Account(scope=Scope.PROJECT, name=project))
    return found


def _model(connection: Connection, id_: str, number: int) -> str | None:
    wanted = select(revisions.c.model, revisions.c.version).where(
        revisions.c.deployment_id == id_, revisions.c.number == number
    )
    found = connection.execute(wanted).first()
    return f"{found.model}/{found.version}" if found else None
