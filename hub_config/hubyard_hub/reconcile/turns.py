"""Turns: which of the runs that wait begin now, decided from rows alone.

A run waits while another of its schedule is at work, unless they may overlap; for the
memory that no other run was promised; and for its owner's turn. The owner with the
fewest active runs goes first, and of those the one whose last start is longest ago, so
that nobody waits behind another's nine hundred, however few there is room for.

passes  the runs that begin while a larger one waits for memory. After a few of them
        nobody begins before it, so that it waits for a bounded number of others
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from hubyard.contract.workload import Status, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from hubyard_hub.workloads.wishes import Row

MOST_STARTS = os.cpu_count() or 1
"""So many starts of runs are under way at once; the hub takes as many of people."""
MOST_PASSES = 10
"""So many runs begin while a larger one waits for memory; then room is kept for it."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Waits(StrEnum):
    """Why a run does not begin, where it is not only that others come before it."""

    MEMORY = "memory"
    """There is not room enough for it."""
    LARGER = "larger"
    """Room is kept for a larger one that has waited longer."""
    SCHEDULE = "schedule"
    """An earlier run of its schedule has not ended."""


@dataclass(frozen=True)
class Room:
    """What there is for runs, and what one of them takes."""

    memory: int
    """Bytes of all runs together."""
    memory_of: Callable[[Row], int]
    overlapping: Collection[str]
    """The schedules whose runs may overlap."""
    starts: int = MOST_STARTS
    last_starts: Mapping[str, datetime] = field(default_factory=dict)
    """When each owner's last run began, where it was lately."""
    passes: Mapping[str, int] = field(default_factory=dict)
    """How many runs have begun since some run was the first to wait for memory."""


@dataclass(frozen=True)
class Turns:
    """Who begins now, and why the others do not."""

    begin: frozenset[str]
    """Their ids."""
    counted: str | None
    """The run whose passes count: of all that wait for memory, the oldest."""
    why: Mapping[str, Waits]
    """By the id of a run that goes on waiting."""


def waits(row: Row) -> bool:
    """Whether a run has not begun, and shall."""
    return row["status"] is Status.PENDING and row["target"] is Target.RUNNING


def turns(runs: Iterable[Row], in_hand: Collection[str], room: Room) -> Turns:
    """Who begins now.

    The owner with the fewest active runs goes first. A run that does not fit into
    memory lets others pass, but no more than `MOST_PASSES`: then nobody begins before
    it. Only the oldest of those that do not fit is counted, so that an owner with many
    large runs has room kept for one of them at a time.

    Args:
        runs: all that have not ended.
        in_hand: the ids of those that somebody works on.
        room: what there is for them.
    """
    runs = list(runs)
    waiting = [row for row in runs if waits(row) and row["id"] not in in_hand]
    at_work = [row for row in runs if not waits(row) or row["id"] in in_hand]
    queue = _Queue(room, at_work, sorted(waiting, key=_age))
    while queue.begin_one():
        pass
    return queue.turns()


class _Queue:
    """Those that wait, oldest first, and the room beside those at work."""

    def __init__(self, room: Room, at_work: list[Row], waiting: list[Row]) -> None:
        self._room = room
        self._waiting = waiting
        self._memory = room.memory
        self._owners: Counter[str] = Counter()
        self._schedules: set[str] = set()
        self._starts = room.starts
        self._unbilled = sum(map(waits, at_work))
        """Starts that the ledger does not count yet."""
        self._begin: set[str] = set()
        for row in at_work:
            self._add(row)

    def begin_one(self) -> bool:
        """Let one run begin; False: none can, or may."""
        if self._starts < 1:
            return False
        allowed = self._allowed()
        first = self._pressed(allowed) or min(
            filter(self._fits, allowed), key=self._place, default=None
        )
        if first is None or not self._fits(first):
            return False
        self._add(first)
        self._begin.add(first["id"])
        self._waiting.remove(first)
        return True

    def turns(self) -> Turns:
        """What has come of it."""
        allowed = self._allowed()
        pressed = self._pressed(allowed)
        counted = self._oldest_too_large(allowed)
        why = {row["id"]: Waits.SCHEDULE for row in self._waiting}
        for row in allowed:
            why.pop(row["id"])
            if not self._fits(row):
                why[row["id"]] = Waits.MEMORY
            elif pressed is not None and row is not pressed:
                why[row["id"]] = Waits.LARGER
        counted_id = counted["id"] if counted else None
        return Turns(frozenset(self._begin), counted_id, why)

    def _allowed(self) -> list[Row]:
        """Those that need not wait for an earlier run of their schedule."""
        return [r for r in self._waiting if r["schedule_id"] not in self._schedules]

    def _pressed(self, allowed: list[Row]) -> Row | None:
        """The oldest that enough others have passed."""
        counted = self._oldest_too_large(allowed)
        passed = self._unbilled + len(self._begin)
        return next(
            (
                row
                for row in allowed
                if row is counted or row["id"] in self._room.passes
                if self._room.passes.get(row["id"], 0) + passed >= MOST_PASSES
            ),
            None,
        )

    def _oldest_too_large(self, allowed: list[Row]) -> Row | None:
        return next((row for row in allowed if not self._fits(row)), None)

    def _place(self, row: Row) -> tuple[int, datetime]:
        owner = row["owner"]
        return self._owners[owner], self._room.last_starts.get(owner, _LONG_AGO)

    def _fits(self, row: Row) -> bool:
        """Whether there is memory for it; whatever is alone has all that there is."""
        return not self._owners or self._room.memory_of(row) <= self._memory

    def _add(self, row: Row) -> None:
        self._memory -= self._room.memory_of(row)
        self._owners[row["owner"]] += 1
        self._starts -= row["status"] in {Status.PENDING, Status.STARTING}
        schedule = row["schedule_id"]
        if schedule is not None and schedule not in self._room.overlapping:
            self._schedules.add(schedule)


def _age(row: Row) -> tuple[object, ...]:
    """The order of waiting: as they came; of one schedule's, as they were due."""
    return row["created_at"], row["fire_at"] or row["created_at"], row["id"]
