"""Deployments: the wish that a model version be served, and its numbered revisions."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from hubyard.contract.base import Moment, now
from hubyard.contract.deployment import Deployment, DeploymentJob, Key, Revision
from hubyard.contract.slug import name_of
from hubyard.contract.workload import Kind, Status, new_readable_id
from hubyard_hub.models.model_copy import copy_model
from hubyard_hub.models.registry import Models
from hubyard_hub.store.tables import deployments, revisions
from hubyard_hub.workloads.wishes import Row, Wishes, all_rows

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from hubyard.contract.deployment import DeploymentRequest, KeyRequest
    from hubyard.contract.identity import Identity
    from hubyard_hub.models.model_copy import ModelCopy
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Bill

_NAME_LENGTH = 40


class Deployments:
    """The deployments of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._models = Models(parts)
        self._wishes = Wishes(parts, Kind.ENDPOINT, deployments)

    def create(
        self, asking: Identity, token: str, request: DeploymentRequest
    ) -> Deployment:
        """Serve a version; the same wish again answers the same deployment.

        Raises:
            NotFound: the caller sees no such version.
            Invalid, Rejected: it cannot be served like this; says why.
            NoRoom: the disk is nearly full.
        """
        version = self._models.find(token, request.model, request.version)
        number = str(version["version"])
        name = request.name or name_of(request.model, _NAME_LENGTH, "model")
        wish = self._wishes.new(
            asking,
            new_readable_id(Kind.ENDPOINT, name),
            name,
            request.compute,
            request.lifetime_s,
        )
        wanted = _same(wish, request.model, number)
        with self._parts.store.read() as connection:
            same = connection.execute(wanted).scalar()
        if same:
            return self.get(asking.name, same)
        self._parts.disk.check()
        self._models.servable.check(token, version, "version")
        copy = copy_model(self._parts.mlflow, token, version, self._parts.blobs)
        revision = _first_revision(wish, request.model, number, copy)

        def work(connection: Connection) -> str:
            found: str | None = connection.execute(wanted).scalar()
            if found is None:
                connection.execute(deployments.insert().values(**wish, revision=1))
                connection.execute(revisions.insert().values(**revision))
            return found or wish["id"]

        id_ = self._parts.store.atomically(work)
        self._parts.wake.set()
        return self.get(asking.name, id_)

    def list(self, owner: str) -> list[Deployment]:
        """An owner's deployments, newest first."""
        return self._shown(self._wishes.rows(owner))

    def get(self, owner: str, id_: str) -> Deployment:
        """One deployment; NotFound where there is none, or it is another's."""
        return self._shown([self._wishes.row(owner, id_)])[0]

    def start(self, owner: str, id_: str) -> Deployment:
        """Serve again; Conflict while the last endpoint is ending."""
        self._wishes.start(owner, id_)
        return self.get(owner, id_)

    def stop(self, owner: str, id_: str) -> Deployment:
        """End its endpoint."""
        self._wishes.stop(owner, id_)
        return self.get(owner, id_)

    def remove(self, owner: str, id_: str) -> None:
        """Forget a deployment; Conflict while it is active."""
        self._wishes.remove(owner, id_)

    def row(self, owner: str, id_: str) -> Row:
        """Its row; NotFound where there is none, or it is another's."""
        return self._wishes.row(owner, id_)

    def make_key(self, owner: str, token: str, id_: str, wish: KeyRequest) -> Key:
        """A token that can call this one endpoint, made with the caller's own.

        Raises:
            NotFound: no such deployment.
            Forbidden, Rejected: the hub's no, in its words.
        """
        shown, row = self.get(owner, id_), self._wishes.row(owner, id_)
        made = self._parts.hub.make_key(
            token, owner, row["server_name"], expires_in_s=wish.expires_in_s
        )
        body = json.dumps(shown.example or {"inputs": []})
        return Key(
            token=made["token"],
            url=shown.url,
            expires_at=made["expires_at"],
            curl=_curl(shown.url, made["token"], body),
            python=_python(shown.url, made["token"], body),
        )

    # -- for the endpoint itself -----------------------------------------------------

    def job(self, owner: str, id_: str) -> DeploymentJob:
        """What an endpoint shall serve."""
        row = self._wishes.row(owner, id_)
        revision = Revision(**self._revisions([row])[id_])
        return DeploymentJob(deployment_id=id_, name=row["name"], revision=revision)

    def source(self, owner: str, id_: str) -> Path:
        """The packed model folder of an endpoint."""
        row = self._wishes.row(owner, id_)
        return self._parts.blobs.path(self._revisions([row])[id_]["source"])

    def _revisions(self, rows: list[Row]) -> dict[str, Row]:
        """The present revision of each deployment, by its id."""
        ids = [row["id"] for row in rows]
        wanted = select(revisions).where(
            revisions.c.deployment_id == deployments.c.id,
            revisions.c.number == deployments.c.revision,
            deployments.c.id.in_(ids),
        )
        with self._parts.store.read() as connection:
            return {r["deployment_id"]: r for r in all_rows(connection, wanted)}

    def _shown(self, rows: list[Row]) -> list[Deployment]:
        bills, present = self._wishes.bills(rows), self._revisions(rows)
        return [self._show(r, bills[r["id"]], present[r["id"]]) for r in rows]

    def _show(self, row: Row, bill: Bill, revision: Row) -> Deployment:
        values: dict[str, Any] = {
            **row,
            **vars(bill),
            "revision": Revision(**revision),
            "url": self._wishes.url(row),
            "signature": revision["signature"],
            "example": revision["example"],
        }
        return Deployment(**values)


def _same(wish: Row, model: str, version: str) -> Any:  # noqa: ANN401  a select
    """The living deployment, if any, that already wishes for this."""
    columns = deployments.c
    alike = ("owner", "name", "compute", "lifetime_s", "target")
    return select(columns.id).where(
        *(columns[each] == wish[each] for each in alike),
        columns.status.in_([status for status in Status if status.is_active]),
        revisions.c.deployment_id == columns.id,
        revisions.c.number == columns.revision,
        revisions.c.model == model,
        revisions.c.version == version,
    )


def _first_revision(wish: Row, model: str, version: str, copy: ModelCopy) -> Row:
    made_at: Moment = now()
    return {
        "deployment_id": wish["id"],
        "number": 1,
        "model": model,
        "version": version,
        "source": copy.digest,
        "signature": copy.signature,
        "example": copy.example,
        "created_at": made_at,
        "created_by": wish["owner"],
    }


def _curl(url: str, token: str, body: str) -> str:
    return (
        f"curl -sS {shlex.quote(f'{url}invocations')} "
        f"-H {shlex.quote(f'Authorization: Bearer {token}')} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )


def _python(url: str, token: str, body: str) -> str:
    return (
        "import json\n"
        "from urllib.request import Request, urlopen\n\n"
        "request = Request(\n"
        f"    {f'{url}invocations'!r},\n"
        f"    data={body!r}.encode(),\n"
        f"    headers={{'Authorization': {f'Bearer {token}'!r}, "
        "'Content-Type': 'application/json'},\n"
        ")\n"
        "print(json.load(urlopen(request)))\n"
    )
