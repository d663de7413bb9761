"""A scene: one wish, and the hub, ledger and folder that the reconciler sees."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from hubyard.contract.base import now
from hubyard.contract.workload import Kind, Status
from hubyard_hub.reconcile.acts import TABLES, bring_further
from hubyard_hub.runs.record import keep_record
from hubyard_hub.store import tables
from hubyard_spawner.local.folder import Folder
from support.lines import ended, made, opened
from support.platform import upload

if TYPE_CHECKING:
    from hubyard.contract.entry import EndReason, Entry
    from hubyard.contract.run import RunRecord
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub
    from support.platform import Caller


class Scene:
    """One wish, and the hub, ledger and folder that the reconciler sees."""

    def __init__(self, parts: Parts, hub: MemoryHub, ada: Caller, kind: Kind) -> None:
        self.parts, self.hub, self.kind = parts, hub, kind
        source = upload(ada)
        self.path = "/runs" if kind is Kind.RUN else "/apps"
        field = "notebook" if kind is Kind.RUN else "path"
        wish = {"source": source, field: "train.ipynb"}
        answer = ada.post(self.path, json=wish)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        self.ada = ada
        self.server = f"{kind}-{self.id}"
        self.entries: list[Entry] = []
        hub.on_start = lambda *_: self.bill()

    def bill(self) -> None:
        server = {"owner": "ada", "server_name": self.server, "kind": self.kind}
        self.entries.append(opened(self.parts.ledger, **server))

    def settle(self, reason: EndReason, code: int | None = None) -> None:
        ended(self.parts.ledger, self.entries[-1], now(), reason, exit_code=code)

    def end(self, reason: EndReason, code: int | None = None) -> None:
        """As the hub notices an end: the ledger first, then its own list."""
        self.settle(reason, code)
        self.hub.servers[("ada", self.server)] = "stopped"

    @property
    def folder(self) -> Folder:
        folder = Folder.of(self.parts.settings.workloads, self.entries[-1].id)
        if not folder.path.exists():
            made(folder)
        return folder

    def say(self, record: RunRecord) -> None:
        """Hand in a run's record, as its own process does."""
        self.parts.store.atomically(lambda c: keep_record(c, self.id, record))

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            bring_further(self.parts, self.kind, self.id)

    def wait(self, seconds: float) -> None:
        """Let time pass, as far as the wish's row can tell."""
        table = TABLES[self.kind]
        with self.parts.store.write() as connection:
            changed = connection.scalar(select(table.c.changed_at))
            earlier = changed - timedelta(seconds=seconds)
            connection.execute(update(table).values(changed_at=earlier))

    def up(self) -> None:
        self.step(2)
        assert self.status in {Status.RUNNING, Status.READY}

    @property
    def shown(self) -> dict[str, Any]:
        return self.ada.get(f"{self.path}/{self.id}").json()

    @property
    def status(self) -> str:
        return self.shown["status"]

    @property
    def row(self) -> Any:
        table = tables.runs if self.kind is Kind.RUN else tables.apps
        with self.parts.store.read() as connection:
            found = connection.execute(table.select().where(table.c.id == self.id))
            return found.mappings().one()

    def stop(self) -> None:
        assert self.ada.post(f"{self.path}/{self.id}/stop").status_code == 200
