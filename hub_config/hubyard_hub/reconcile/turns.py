"""Turns: which of the runs that wait begin now, decided from rows alone.

A run waits while another of its schedule is at work, unless they may overlap; for the
memory that no other run was promised; and for its owner's turn. Who has fewest at work
comes first, and of those whose last start is longest ago, so that nobody waits behind
another's nine hundred, however few there is room for.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hubyard.contract.workload import Status, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from hubyard_hub.wishes import Row

MOST_STARTS = os.cpu_count() or 1
"""So many starts of runs are under way at once; the hub takes as many of people."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


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


def waits(row: Row) -> bool:
    """Whether a run has not begun, and shall."""
    return row["status"] is Status.PENDING and row["target"] is Target.RUNNING


def turns(runs: Iterable[Row], in_hand: Collection[str], room: Room) -> set[str]:
    """The ids of the runs that begin now.

    Args:
        runs: all that have not ended.
        in_hand: the ids of those that somebody works on.
        room: what there is for them.
    """
    runs = list(runs)
    at_work = [row for row in runs if not waits(row) or row["id"] in in_hand]
    ahead = _Ahead(room, at_work)
    waiting = sorted(
        (row for row in runs if waits(row) and row["id"] not in in_hand), key=_age
    )
    chosen: set[str] = set()
    while (row := ahead.first_of(waiting)) is not None and ahead.takes(row):
        chosen.add(row["id"])
        waiting.remove(row)
    return chosen


class _Ahead:
    """What is at work, and so what there is room for beside it."""

    def __init__(self, room: Room, at_work: list[Row]) -> None:
        self._room = room
        self._memory = room.memory
        self._owners: Counter[str] = Counter()
        self._schedules: set[str] = set()
        self._starts = room.starts
        for row in at_work:
            self._add(row)

    def first_of(self, waiting: list[Row]) -> Row | None:
        """Whose turn it is among them, the oldest first; None: nobody's."""
        free = (row for row in waiting if row["schedule_id"] not in self._schedules)
        return min(free, key=self._place, default=None)

    def _place(self, row: Row) -> tuple[int, datetime]:
        owner = row["owner"]
        return self._owners[owner], self._room.last_starts.get(owner, _LONG_AGO)

    def takes(self, row: Row) -> bool:
        """Whether it fits, and so is at work from now on.

        Where the first does not, none after it begins: it would wait for ever.
        """
        alone = not self._owners
        fits = alone or self._room.memory_of(row) <= self._memory
        if not fits or self._starts < 1:
            return False
        self._add(row)
        return True

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
