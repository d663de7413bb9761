"""Retention: what is needed stays, what is not goes, and a dry run changes nothing."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from hubyard.contract.app import Framework
from hubyard.contract.base import now
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.workload import Kind, Status, new_id
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.retention.commands import run_prune
from hubyard_hub.retention.leftovers import Leftovers
from hubyard_hub.retention.prune import prune
from hubyard_hub.runs.kept import Kept
from hubyard_hub.runs.wanted import Wanted
from hubyard_hub.sources.blobs import Blobs
from hubyard_hub.store import Store, tables
from hubyard_hub.workloads.wishes import new_wish
from hubyard_spawner.local.folder import Folder
from support.lines import ended, opened
from support.platform import settings_in
from support.schedules import schedule_row
from support.stores import newest_shape

if TYPE_CHECKING:
    from collections.abc import Iterator


DAYS = 30
BLOBS = [letter * 64 for letter in "abcdef"]
ages = st.sampled_from([0, 2, 29, 31, 400])
"""In days; none stands on the border, for the clock goes on."""


@dataclass(frozen=True)
class AWorkload:
    """Of an app or a run, with its entry."""

    kind: Kind
    blob: str
    closed: bool
    ended: int | None
    """Days since the end of its entry; None: it goes on."""
    row_kept: bool = True
    tracked: bool = False
    files_used: int = 400
    id: str = field(default_factory=new_id)
    entry: str = field(default_factory=new_id)

    @property
    def open(self) -> bool:
        return self.row_kept and not self.closed


@dataclass(frozen=True)
class World:
    blobs: dict[str, int]
    """Days since each was last used."""
    schedules: list[str]
    revisions: list[str]
    workloads: list[AWorkload]
    uploads: list[int]


workloads = st.builds(
    AWorkload,
    kind=st.sampled_from([Kind.RUN, Kind.APP]),
    blob=st.sampled_from(BLOBS),
    closed=st.booleans(),
    ended=st.none() | ages,
    row_kept=st.booleans(),
    tracked=st.booleans(),
    files_used=ages,
    id=st.builds(new_id),
    entry=st.builds(new_id),
)
worlds = st.builds(
    World,
    blobs=st.fixed_dictionaries(dict.fromkeys(BLOBS, ages)),
    schedules=st.lists(st.sampled_from(BLOBS), max_size=1),
    revisions=st.lists(st.sampled_from(BLOBS), max_size=1),
    workloads=st.lists(workloads, min_size=1, max_size=4),
    uploads=st.lists(ages, max_size=2),
)


class Place:
    """A state folder with a world in it."""

    def __init__(self, folder: Path, world: World) -> None:
        database = folder / "hubyard.sqlite"
        database.write_bytes(newest_shape())
        self.settings = replace(settings_in(folder), keep_days=DAYS)
        self.settings.save()
        self.store = Store(self.settings.database_url)
        self.world = world
        for digest, days in world.blobs.items():
            self.file(f"blobs/{digest}", days)
        for number, days in enumerate(world.uploads):
            self.file(f"blobs/.{number:016x}", days)
            self.file(f"runs/other/train/.{number:016x}", days)
        with self.store.write() as connection:
            for digest in world.blobs:
                row = {"owner": "ana", "digest": digest, "size_bytes": 1}
                row = {**row, "created_at": now() - timedelta(days=400)}
                connection.execute(insert(tables.sources).values(row))
            for digest in world.schedules:
                row = schedule_row(source=digest)
                connection.execute(insert(tables.schedules).values(row))
            for digest in world.revisions:
                for row, table in _deployment(digest):
                    connection.execute(insert(table).values(row))
        for workload in world.workloads:
            self.add(workload)

    def file(self, name: str, days: float) -> Path:
        path = self.settings.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
        _age(path, days)
        return path

    def add(self, each: AWorkload) -> None:
        server = f"{each.kind}-{each.id}"
        began = now() - timedelta(days=(each.ended or 0) + 1)
        entry = opened(
            Ledger(self.store), began, id=each.entry, kind=each.kind, server_name=server
        )
        if each.ended is not None:
            ended(Ledger(self.store), entry, now() - timedelta(days=each.ended))
        folder = Folder.of(self.settings.workloads, each.entry)
        self.file(f"workloads/{each.entry}/log", 400)
        if each.kind is Kind.RUN:
            self.file(f"runs/{each.id}/train/notebook.ipynb", each.files_used)
            self.file(f"runs/{each.id}/train/outputs.tar.gz", each.files_used)
            if each.tracked:
                made = folder.scratch / "steps" / "train"
                made.mkdir(parents=True)
                (made / "tracked").touch()
        for path in (self.settings.state / "runs" / each.id, folder.path):
            if path.exists():
                _age(path, 400)
        if each.row_kept:
            with self.store.write() as connection:
                table, row = _wish(each)
                connection.execute(insert(table).values(row))

    def files(self) -> set[str]:
        state = self.settings.state
        found = (
            p
            for name in ("blobs", "runs", "workloads")
            for p in (state / name).rglob("*")
        )
        return {str(p.relative_to(state)) for p in found if p.is_file()}

    def everything(self) -> dict[str, tuple[int, bytes | None]]:
        """Every file with its time and content, and the database's rows."""
        state = self.settings.state
        found = {
            str(p): (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else None)
            for p in sorted(state.rglob("*"))
            if not p.name.startswith("hubyard.sqlite")
        }
        with self.store.read() as connection:
            for table in tables.metadata.sorted_tables:
                rows = connection.execute(select(table)).all()
                found[table.name] = (0, repr(sorted(map(repr, rows))).encode())
        return found

    def stays(self) -> set[str]:
        """What the world says must be there afterwards."""
        world = self.world
        return {
            *(f"blobs/{b}" for b, days in world.blobs.items() if self._needs(b, days)),
            *(f"blobs/.{n:016x}" for n, days in enumerate(world.uploads) if days < 1),
            *(
                f"runs/other/train/.{n:016x}"
                for n, days in enumerate(world.uploads)
                if days < 1
            ),
            *(name for each in world.workloads for name in _files_of(each)),
        }

    def _needs(self, blob: str, days: int) -> bool:
        world = self.world
        users = [
            each for each in world.workloads if each.row_kept and each.blob == blob
        ]
        return (
            days < DAYS
            or blob in world.schedules
            or blob in world.revisions
            or any(each.kind is Kind.APP for each in users)
            or any(each.open or each.tracked or _is_recent(each) for each in users)
        )


def _is_recent(each: AWorkload) -> bool:
    return (each.ended or 0) < DAYS


def _files_of(each: AWorkload) -> Iterator[str]:
    if each.open or each.ended is None or _is_recent(each):
        yield f"workloads/{each.entry}/log"
        if each.kind is Kind.RUN and each.tracked:
            yield f"workloads/{each.entry}/scratch/steps/train/tracked"
    if each.kind is not Kind.RUN:
        return
    notes = f"runs/{each.id}/.tracked"
    known = each.row_kept and (each.open or _is_recent(each))
    all_stay = known or each.files_used < DAYS
    if all_stay:
        yield f"runs/{each.id}/train/outputs.tar.gz"
    if all_stay or (each.row_kept and each.tracked):
        yield f"runs/{each.id}/train/notebook.ipynb"
        if each.row_kept and each.tracked:
            yield notes


def _age(path: Path, days: float) -> None:
    at = (now() - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))


def _wish(each: AWorkload) -> tuple[Any, dict[str, Any]]:
    ended_at = now() - timedelta(days=each.ended or 0)
    status = Status.SUCCEEDED if each.closed else Status.RUNNING
    own = {"status": status, "closed": each.closed, "changed_at": ended_at}
    if each.kind is Kind.APP:
        wish = new_wish(Kind.APP, each.id, "ana", "a", "small", 60)
        shown = {"framework": Framework.VOILA, "path": "a.py", "source": each.blob}
        return tables.apps, {**wish, **shown, **own}
    wish = new_wish(Kind.RUN, each.id, "ana", "a", "small", 60)
    wanted = Wanted(
        notebook="a.ipynb", source=each.blob, parameters={}, cell_timeout_s=None
    )
    return tables.runs, {**wish, **wanted.columns(), **own, "ended_at": ended_at}


def _deployment(digest: str) -> list[tuple[dict[str, Any], Any]]:
    id_ = new_id()
    wish = new_wish(Kind.ENDPOINT, id_, "ana", "a", "small", 60)
    past = now() - timedelta(days=400)
    closed = {"status": Status.STOPPED, "closed": True, "changed_at": past}
    revision = {
        "deployment_id": id_,
        "number": 1,
        "model": "m",
        "version": "1",
        "source": digest,
        "created_at": past,
        "created_by": "ana",
    }
    deployment = {**wish, **closed, "revision": 2}
    return [(deployment, tables.deployments), (revision, tables.revisions)]


@given(world=worlds)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # to shrink one takes minutes
)
def test_what_is_needed_stays_and_what_is_not_goes(world):
    check(world)


def check(world: World) -> None:
    """A dry run changes nothing; then just what the world does not need goes."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), world)
        before = place.everything()
        listed = Leftovers(place.settings, place.store, now()).find()
        assert place.everything() == before
        gone = prune(place.settings, place.store, now())
        assert {each.path for each in gone} == {each.path for each in listed}
        assert place.files() == place.stays()
        with place.store.read() as connection:
            known = set(connection.scalars(select(tables.sources.c.digest)))
        assert known == {b for b in world.blobs if f"blobs/{b}" in place.stays()}
        assert prune(place.settings, place.store, now()) == []
        place.store.close()


def every_workload() -> World:
    """Each combination once, with an old source of its own."""
    kinds, closed, ended = (Kind.RUN, Kind.APP), (True, False), (None, 2, 400)
    yes_no = (True, False)
    said = product(kinds, closed, ended, yes_no, yes_no, (2, 400))
    made = [
        AWorkload(kind, f"{number:064x}", *more)
        for number, (kind, *more) in enumerate(said)
    ]
    blobs = {each.blob: 400 for each in made}
    return World(blobs, schedules=[], revisions=[], workloads=made, uploads=[])


def test_each_state_of_a_workload_keeps_what_it_needs():
    check(every_workload())


def an_old_run(**changes: Any) -> AWorkload:
    made = AWorkload(kind=Kind.RUN, blob=BLOBS[0], closed=True, ended=400)
    return replace(made, **changes)


def a_world(*workloads: AWorkload, **changes: Any) -> World:
    blobs = dict.fromkeys(BLOBS, 400)
    return World(
        **{
            "blobs": blobs,
            "schedules": [],
            "revisions": [],
            "workloads": list(workloads),
            "uploads": [2],
            **changes,
        }
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, a_world(an_old_run()))
    yield made
    made.store.close()


def test_nothing_but_uploads_goes_where_everything_is_kept(place):
    kept = replace(place.settings, keep_days=0)
    gone = prune(kept, place.store, now())
    assert {each.path.name for each in gone} == {".0000000000000000"}


def test_a_store_that_has_started_nothing_lets_nothing_go(tmp_path):
    """It is a new one beside old files: it cannot know what they are for."""
    place = Place(tmp_path, a_world(uploads=[]))
    assert prune(place.settings, place.store, now()) == []
    place.store.close()


def test_a_source_that_is_used_again_stays(place):
    blobs = Blobs(place.settings.state / "blobs")
    blobs.path(BLOBS[1])
    prune(place.settings, place.store, now())
    assert blobs.path(BLOBS[1]).is_file()
    with pytest.raises(NotFound, match="no longer kept"):
        blobs.path(BLOBS[2])


def test_a_run_from_which_another_has_just_taken_over_stays(place):
    run = place.world.workloads[0].id
    kept = Kept.of(place.settings.state, run)
    Kept.of(place.settings.state, "later").take_over(kept, {"train": "train"})
    prune(place.settings, place.store, now())
    assert kept.has("train", "outputs.tar.gz")


def test_a_workload_that_lives_stays_whatever_the_ledger_says(place, monkeypatch):
    monkeypatch.setattr(Folder, "shim", lambda _: 1)
    gone = prune(place.settings, place.store, now())
    assert not [each for each in gone if "workloads" in each.path.parts]


def asked(place: Place, **said: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **{"state": place.settings.state, "dry_run": False, "keep_days": None, **said}
    )


def test_the_command_lists_first_and_then_removes(place, capsys):
    before = place.everything()
    assert run_prune(asked(place, dry_run=True)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert place.everything() == before
    assert lines[-1].startswith(f"{len(lines) - 1} would go, ")
    assert run_prune(asked(place)) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[:-1] == lines[:-1]
    assert again[-1].startswith(f"{len(lines) - 1} removed, ")
    assert run_prune(asked(place)) == 0
    assert capsys.readouterr().out == "0 removed, 0.0 MiB in all\n"


def test_other_days_hold_for_one_command(place, capsys):
    assert run_prune(asked(place, keep_days=500)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 removed, ")
    assert (place.settings.state / "blobs" / BLOBS[0]).is_file()
    for days in (0, -1, 10**9):
        with pytest.raises(Invalid, match="1 to 36500"):
            run_prune(asked(place, keep_days=days))
