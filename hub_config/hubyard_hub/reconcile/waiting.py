"""Waiting: which runs begin now, and what their owners read of those that do not.

A row keeps why its run waits, and the ledger's newest number when the run became the
oldest that waits for memory: the runs that the ledger has counted since have passed it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.workload import Kind, Status
from hubyard_hub.reconcile.turns import Room, Turns, Waits, turns, waits
from hubyard_hub.schedules.core import overlapping_schedules
from hubyard_hub.store.tables import entries, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts
    from hubyard_hub.store import Store
    from hubyard_hub.workloads.wishes import Row

_AT_ONCE = 1000
"""So many ids are in one statement: databases have a bound."""
_LATELY = timedelta(hours=1)
NO_ROOM = "It waits for room on the disk, which is nearly full."


def begin(parts: Parts, open_runs: list[Row], in_hand: Collection[str]) -> set[str]:
    """The ids of the runs that begin now; why the others wait is in their rows then."""
    if not any(map(waits, open_runs)):
        return set()
    if parts.disk.lack() is not None:
        _hold(parts.store, open_runs, in_hand)
        return set()
    room = _room(parts, open_runs)
    found = turns(open_runs, in_hand, room)
    waiting = [r for r in open_runs if waits(r) and r["id"] not in in_hand]
    note(parts.store, waiting, found, room)
    return set(found.begin)


def _hold(store: Store, open_runs: list[Row], in_hand: Collection[str]) -> None:
    """Let each run that has not begun say that it waits for room on the disk."""
    held = [r["id"] for r in open_runs if waits(r) and r["id"] not in in_hand]
    unsaid = {r["id"] for r in open_runs if r["waits_for"] != NO_ROOM}.intersection(
        held
    )
    if unsaid:
        store.atomically(lambda c: _write(c, {NO_ROOM: sorted(unsaid)}, None))


def _room(parts: Parts, open_runs: list[Row]) -> Room:
    catalogue, store = parts.catalogue, parts.store

    @cache
    def memory(compute: str) -> int:
        profile = catalogue.heir(compute)
        return profile.memory if profile else 0

    return Room(
        psutil.virtual_memory().total,
        lambda row: memory(row["compute"]),
        overlapping_schedules(store),
        last_starts=last_starts(store, {row["owner"] for row in open_runs}),
        passes=passes(store, open_runs),
    )


def last_starts(store: Store, owners: Collection[str]) -> dict[str, datetime]:
    """When the last run of each owner began, of those that had one lately."""
    columns = entries.c
    begun = select(columns.owner, func.max(columns.started_at).label("at")).where(
        columns.owner.in_(owners),
        columns.started_at >= now() - _LATELY,
        columns.kind == Kind.RUN,
    )
    with store.read() as connection:
        found = connection.execute(begun.group_by(columns.owner))
        return {row.owner: row.at for row in found}


def passes(store: Store, open_runs: Iterable[Row]) -> dict[str, int]:
    """How many runs have passed each of those that are counted."""
    since = {
        row["id"]: row["counted_since"]
        for row in open_runs
        if waits(row) and row["counted_since"] is not None
    }
    if not since:
        return {}
    of_runs = select(func.count()).where(entries.c.kind == Kind.RUN)
    with store.read() as connection:
        return {
            id_: connection.scalar(of_runs.where(entries.c.number > number)) or 0
            for id_, number in since.items()
        }


def note(store: Store, waiting: Iterable[Row], found: Turns, room: Room) -> None:
    """Write down what has changed of those that wait."""
    said: defaultdict[str | None, list[str]] = defaultdict(list)
    begins_to_count = None
    for row in waiting:
        why = found.why.get(row["id"])
        words = why and _words(why, room.memory_of(row), room.memory)
        if words != row["waits_for"]:
            said[words].append(row["id"])
        if row["id"] == found.counted and row["counted_since"] is None:
            begins_to_count = row["id"]
    if said or begins_to_count:
        store.atomically(lambda c: _write(c, said, begins_to_count))


def _write(
    connection: Connection, said: Mapping[str | None, list[str]], counted: str | None
) -> None:
    pending = update(runs).where(runs.c.status == Status.PENDING)
    for words, ids in said.items():
        for first in range(0, len(ids), _AT_ONCE):
            some = runs.c.id.in_(ids[first : first + _AT_ONCE])
            connection.execute(pending.where(some).values(waits_for=words))
    if counted is not None:
        newest = connection.scalar(select(func.max(entries.c.number))) or 0
        mine = pending.where(runs.c.id == counted, runs.c.counted_since.is_(None))
        connection.execute(mine.values(counted_since=newest))


def _words(why: Waits, needs: int, memory: int) -> str:
    if why is Waits.SCHEDULE:
        return "It waits for an earlier run of its schedule to end."
    if why is Waits.LARGER:
        return "Room is kept for a larger run, which has waited longer."
    if needs > memory:
        return (
            f"It waits until no other run is at work: it may use {_gib(needs)} of "
            f"memory, and this machine has {_gib(memory)}."
        )
    return f"It waits for {_gib(needs)} of memory, which other runs may use now."


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.3g} GiB"
