"""Apps: web apps made from a pinned notebook or file, shared through the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from hubyard.contract.app import App, AppJob, Framework, Share
from hubyard.contract.errors import Conflict, HubyardError, Invalid
from hubyard.contract.workload import Kind, new_readable_id
from hubyard_hub.sources.notebook import notebook_name
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import app_shares, apps
from hubyard_hub.workloads.hub_client import Server
from hubyard_hub.workloads.wishes import Row, Wishes, all_rows

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard.contract.app import AppRequest
    from hubyard.contract.identity import Identity
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Bill


class Apps:
    """The apps of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._wishes = Wishes(parts, Kind.APP, apps)

    def create(self, asking: Identity, request: AppRequest) -> App:
        """Publish a notebook or file.

        Raises:
            NotFound: its source or file is not there.
            Invalid, Rejected: it cannot be published like this; says why.
        """
        self._parts.sources.check_file(asking.name, request.source, request.path)
        framework = request.framework or Framework.of(request.path)
        if framework is None:
            raise Invalid(
                "Publish a notebook (.ipynb) or a Python file (.py).", field="path"
            )
        name = request.name or notebook_name(request.path)
        wish = self._wishes.new(
            asking,
            new_readable_id(Kind.APP, name),
            name,
            request.compute,
            request.lifetime_s,
            self._parts.sources.project(asking.name, request.source),
        )
        own = {"framework": framework, "path": request.path, "source": request.source}
        self._wishes.insert({**wish, **own})
        return self.get(asking.name, wish["id"])

    def list(self, owner: str) -> list[App]:
        """An owner's apps, newest first."""
        return self._shown(self._wishes.rows(owner))

    def get(self, owner: str, id_: str) -> App:
        """One app; NotFound where there is none, or it is another's."""
        return self._shown([self._wishes.row(owner, id_)])[0]

    def start(self, owner: str, id_: str) -> App:
        """Show it again; Conflict while its last workload is ending."""
        self._wishes.start(owner, id_)
        return self.get(owner, id_)

    def stop(self, owner: str, id_: str) -> App:
        """End its workload; its shares stay."""
        self._wishes.stop(owner, id_)
        return self.get(owner, id_)

    def remove(self, owner: str, id_: str) -> None:
        """Forget an app and its shares; Conflict while it is active."""
        self._wishes.remove(owner, id_)

    def row(self, owner: str, id_: str) -> Row:
        """Its row; NotFound where there is none, or it is another's."""
        return self._wishes.row(owner, id_)

    def share(self, owner: str, token: str, id_: str, share: Share) -> App:
        """Let a user or group open it, by the caller's own token.

        Raises:
            NotFound: no such app.
            Conflict: the hub has not seen it yet.
            Forbidden, Rejected: the hub's no, in its words.
        """
        server = self._wishes.row(owner, id_)["server_name"]
        if self._is_new(owner, server):
            raise Conflict("The app has not started yet: share it in a moment.")
        row = _share_row(id_, share)
        # Written down first: somebody in whom no list shows would be worse than a
        # name too many.
        fresh = self._parts.store.atomically(lambda c: insert_once(c, app_shares, row))
        try:
            self._parts.hub.share(token, owner, server, share)
        except HubyardError:
            if fresh:
                self._forget_share(row)
            raise
        return self.get(owner, id_)

    def unshare(self, owner: str, token: str, id_: str, share: Share) -> App:
        """Let a user or group open it no longer; as `share`."""
        server = self._wishes.row(owner, id_)["server_name"]
        self._parts.hub.unshare(token, owner, server, share)
        self._forget_share(_share_row(id_, share))
        return self.get(owner, id_)

    def _forget_share(self, row: Row) -> None:
        gone = delete(app_shares).where(*(app_shares.c[n] == v for n, v in row.items()))
        self._parts.store.atomically(lambda c: c.execute(gone) and None)

    # -- for the app itself ------------------------------------------------------------

    def job(self, owner: str, id_: str) -> AppJob:
        """What an app shall show."""
        row = self._wishes.row(owner, id_)
        return AppJob(**row, app_id=id_)

    def source(self, owner: str, id_: str) -> Path:
        """The packed source of an app."""
        return self._parts.blobs.path(self._wishes.row(owner, id_)["source"])

    def _is_new(self, owner: str, server: str) -> bool:
        """Whether the hub cannot have shares of it: it was never asked to start it."""
        line = self._parts.ledger.newest(owner, server)
        return line is None and self._parts.hub.server(owner, server) is Server.ABSENT

    def _shown(self, rows: list[Row]) -> list[App]:
        bills = self._wishes.bills(rows)
        ids = [row["id"] for row in rows]
        wanted = select(app_shares).where(app_shares.c.app_id.in_(ids))
        with self._parts.store.read() as connection:
            kept = all_rows(connection, wanted.order_by(*app_shares.primary_key))
        shares: dict[str, list[Share]] = {}
        for share in kept:
            shares.setdefault(share["app_id"], []).append(
                Share(**{share["kind"]: share["name"]})
            )
        return [
            self._show(row, bills[row["id"]], shares.get(row["id"], [])) for row in rows
        ]

    def _show(self, row: Row, bill: Bill, shares: list[Share]) -> App:
        values: dict[str, Any] = {**row, **vars(bill), "url": self._wishes.url(row)}
        return App(**values, shares=tuple(shares))


def _share_row(id_: str, share: Share) -> dict[str, str]:
    kind = "user" if share.user else "group"
    return {"app_id": id_, "kind": kind, "name": share.user or share.group or ""}
