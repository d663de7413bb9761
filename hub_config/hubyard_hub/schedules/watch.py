"""Watches: what looks at the files and aliases that schedules wait for.

Each looks in a thread of its own, every few seconds; one that MLflow or a disk keeps
waiting holds up neither the other nor the reconciler.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid
from hubyard_hub.models.registry import Models
from hubyard_hub.schedules import files
from hubyard_hub.schedules.triggers import awake, change_of, fire_changed, trigger_of
from hubyard_spawner.local.spawner import home_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hubyard.contract.schedule import Trigger
    from hubyard_hub.parts import Parts
    from hubyard_hub.schedules.triggers import Change
    from hubyard_hub.workloads.wishes import Row

SETTLED_S = 5.0
"""So long files must be as they are: what is half written is worth no run."""
_MOST_ENTRIES = 2 * files.MOST_ENTRIES
"""What one round of looks at files costs at most, and one look more."""


class Watch(Protocol):
    """What notices changes of one kind."""

    every_s: float

    def look(self) -> int:
        """Fire what has changed; returns how many runs were started.

        The reconciler calls it every `every_s` seconds.

        Raises:
            Unavailable: what it looks at does not answer.
        """
        ...


class FileWatch:
    """Notices files that have changed and stand still; some schedules' a round."""

    every_s = 3.0

    def __init__(
        self,
        parts: Parts,
        *,
        settled_s: float = SETTLED_S,
        most: int = _MOST_ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._settled_s, self._most, self._clock = settled_s, most, clock
        self._new: dict[str, tuple[str, float]] = {}
        """By schedule: the state that it is in now, and since when."""
        self._last = ""
        """The schedule that was looked at last; the next one comes first."""

    def look(self) -> int:
        """Fire what has changed; returns how many runs were started."""
        pairs = awake(self._parts.store)
        rows = [(row, trigger.file) for row, trigger in pairs if trigger.file]
        self._new = {row["id"]: n for row, _ in rows if (n := self._new.get(row["id"]))}
        changes = [change for change in self._changes(rows) if self._is_settled(change)]
        return fire_changed(self._parts.store, changes, now())

    def _changes(self, rows: list[tuple[Row, str]]) -> Iterator[Change]:
        later = [pair for pair in rows if pair[0]["id"] > self._last]
        entries = 0
        for row, pattern in [*later, *rows[: len(rows) - len(later)]]:
            if entries >= self._most:
                return
            found = _look(self._parts, row["owner"], pattern)
            entries += found.entries + 1
            self._last = row["id"]
            change = change_of(row, found.state)
            if change is None:
                self._new.pop(row["id"], None)
            else:
                yield change

    def _is_settled(self, change: Change) -> bool:
        if change.seen is None:
            return True
        moment = self._clock()
        state, since = self._new.get(change.schedule_id, ("", moment))
        if state == change.state:
            return moment - since >= self._settled_s
        self._new[change.schedule_id] = change.state, moment
        return False


class ModelWatch:
    """Notices aliases that point to another version, with one listing for all."""

    every_s = 5.0

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._models = Models(parts)

    def look(self) -> int:
        """Fire what has changed; returns how many runs were started."""
        pairs = awake(self._parts.store)
        rows = [(row, trigger) for row, trigger in pairs if trigger.model]
        if not rows:
            return 0
        return fire_changed(self._parts.store, self._changes(rows), now())

    def _changes(self, rows: list[tuple[Row, Trigger]]) -> Iterator[Change]:
        versions = self._models.all_aliases()
        visible: dict[tuple[str, str], bool] = {}
        for row, trigger in rows:
            owner, model = row["owner"], trigger.model or ""
            change = change_of(row, versions.get((model, trigger.alias or ""), ""))
            if change is None:
                continue
            # Who may see a model may have changed since the schedule was made.
            key = owner, model
            if key not in visible:
                visible[key] = self._models.is_visible(owner, model)
            if visible[key]:
                yield change


@dataclass(frozen=True)
class Found:
    """What a trigger finds when it is wished for."""

    state: str | None
    """What is seen already: no run is for this."""
    files: int | None = None


def first_look(parts: Parts, owner: str, token: str, trigger: Trigger | None) -> Found:
    """What a trigger that is wished for finds now.

    Raises:
        NotFound: no such model that the caller may see.
        Invalid: it finds too much.
    """
    if trigger is None or trigger.webhook:
        return Found(state=None)
    if trigger.file is None:
        aliases = Models(parts).aliases(token, trigger.model or "")
        return Found(state=aliases.get(trigger.alias or "", ""))
    found = _look(parts, owner, trigger.file)
    if found.entries >= files.MOST_ENTRIES:
        raise Invalid(
            f"At most {files.MOST_ENTRIES:,} files and folders are looked at: name "
            "fewer.",
            field="on",
        )
    return Found(found.state, found.files)


def seen_now(parts: Parts, row: Row) -> dict[str, str | None]:
    """What a schedule has seen that goes on: what changed meanwhile was not missed.

    Of a model, it is what the next look finds.
    """
    trigger = trigger_of(row)
    if trigger is None or not row["paused"]:
        return {}
    if trigger.file is None:
        return {"seen": None}
    return {"seen": _look(parts, row["owner"], trigger.file).state}


def _look(parts: Parts, owner: str, pattern: str) -> files.Look:
    return files.look(home_of(parts.settings.homes, owner), pattern)
