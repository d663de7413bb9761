"""A nearly full disk: nothing new starts, and all goes on when there is room."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.errors import NoRoom, Problem, from_status
from hubyard.contract.identity import Identity
from hubyard_hub.notices.disk import tell_disk
from hubyard_hub.pages.pages import Pages
from hubyard_hub.reconcile.acts import bring_further
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.reconcile.waiting import NO_ROOM
from hubyard_hub.service import assemble
from hubyard_hub.store.tables import apps, runs
from hubyard_spawner.local.disk import Disk
from hubyard_spawner.local.spawner import LocalSpawner, Refused
from support.disks import small_disk
from support.platform import Caller, Stamped, hub, packed, parts_in, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["hub"]  # fixtures

MIB = 2**20
SIZE_MIB = 32


class SmallHubyard:
    """A platform whose state is on a disk of its own."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.ada = Caller(Stamped(assemble(parts)), Identity(name="ada"))
        self.loop = Reconciler(parts)
        self.ballast = parts.settings.state / "ballast"

    def fill(self) -> None:
        free = Disk(self.parts.settings.state)
        with self.ballast.open("ab", buffering=0) as file:
            while free.lack() is None:
                file.write(os.urandom(MIB // 8))

    def look(self) -> None:
        for kind, id_ in self.loop.look_once():
            while bring_further(self.parts, kind, id_):
                pass

    def row(self, table: Any, id_: str) -> Any:
        with self.parts.store.read() as connection:
            return connection.execute(select(table).where(table.c.id == id_)).one()

    def spawn(self) -> None:
        """As far as the hub comes before a workload is made."""
        spawner = LocalSpawner(workloads_dir=str(self.parts.settings.workloads))
        spawner._plan = lambda: None
        asyncio.run(spawner.run_pre_spawn_hook())


@pytest.fixture
def small(tmp_path: Path, hub: MemoryHub) -> Iterator[SmallHubyard]:
    with small_disk(tmp_path / "disk", SIZE_MIB) as disk:
        if disk is None:
            pytest.skip("this machine lets nobody mount a disk")
        parts = parts_in(disk, hub)
        yield SmallHubyard(parts)
        parts.close()


def test_nothing_new_starts_until_there_is_room(small, hub):
    source = upload(small.ada)
    small.spawn()
    small.fill()
    run = small.ada.post("/runs", json={"source": source, "notebook": "train.ipynb"})
    app = small.ada.post("/apps", json={"source": source, "path": "train.ipynb"})
    assert (run.status_code, app.status_code) == (201, 201)
    refused = small.ada.post("/sources", content=packed())
    assert refused.status_code == 507
    assert "nearly full" in refused.json()["message"]
    with pytest.raises(Refused, match="nearly full") as caught:
        small.spawn()
    assert caught.value.status_code == 507
    for _ in range(8):  # more often than a start is asked for
        small.look()
    assert not hub.servers
    run_id, app_id = run.json()["id"], app.json()["id"]
    assert small.row(runs, run_id).waits_for == NO_ROOM
    assert "room on the disk" in small.row(apps, app_id).reason
    small.ballast.unlink()
    small.spawn()
    small.look()
    assert set(hub.servers) == {("ada", f"run-{run_id}"), ("ada", f"app-{app_id}")}
    assert small.row(runs, run_id).waits_for is None
    assert upload(small.ada) == source


def test_pages_tell_people_that_it_is_full_and_administrators_what_to_do(small):
    disk = Pages(small.parts).variables()["hy_disk"]
    root, ada = SimpleNamespace(admin=True), SimpleNamespace(admin=False)
    assert (disk(root)(), disk(ada)(), disk(None)()) == (None, None, None)
    small.fill()
    assert "`hubyard prune`" in disk(root)()
    assert "nearly full" in disk(ada)()
    assert "prune" not in disk(ada)()
    assert disk(None)() is None


def bell(small: SmallHubyard, **identity: Any) -> list[dict[str, Any]]:
    asking = Caller(small.ada.app, Identity(**identity))
    return asking.get("/notices").json()["notices"]


def test_administrators_are_told_once_each_time_that_it_is_full(small):
    store, lack, noon = small.parts.store, "nearly full", now()
    tell_disk(store, None, noon)
    assert bell(small, name="root", admin=True) == []
    for minute in range(3):
        tell_disk(store, lack, noon + timedelta(minutes=minute))
    (told,) = bell(small, name="root", admin=True)
    assert (told["why"], told["message"]) == ("disk", lack)
    assert told["link"].endswith("/hub/home")
    assert bell(small, name="ada") == []
    for minute in (5, 70, 80):  # there is room, and then there is none again
        tell_disk(store, None, noon + timedelta(minutes=minute))
        tell_disk(store, lack, noon + timedelta(minutes=minute + 1))
    assert len(bell(small, name="root", admin=True)) == 2
    root = Caller(small.ada.app, Identity(name="root", admin=True))
    small.ada.post("/notices/seen", json={})
    assert root.get("/notices").json()["unseen"] == 2
    assert root.post("/notices/seen", json={}).json()["unseen"] == 0


def test_the_reconciler_tells_of_it(small):
    small.fill()
    small.loop.look_once()
    (told,) = bell(small, name="root", admin=True)
    assert "nearly full" in told["message"]


@pytest.mark.parametrize(
    ("total_gib", "free_mib", "least_mib", "is_full"),
    [
        (1000, 1025, None, False),
        (1000, 1023, None, True),
        (10, 206, None, False),
        (10, 204, None, True),
        (1000, 5000, 5001, True),
        (10, 1, 1, False),
        (10, 0, 0, False),
    ],
)
def test_how_much_must_be_free(
    monkeypatch, tmp_path, total_gib, free_mib, least_mib, is_full
):
    found = SimpleNamespace(total=total_gib * 2**30, free=free_mib * MIB)
    monkeypatch.setattr("shutil.disk_usage", lambda _: found)
    assert (Disk(tmp_path, least_mib).lack() is not None) == is_full


def test_a_client_knows_it_by_its_status():
    assert type(from_status(507, Problem(message="full"))) is NoRoom
