"""The meter: the port through which the spawner reports what it starts and ends.

The hub injects the implementation that keeps the ledger; `MemoryMeter` keeps nothing
and serves tests. Both pass the same suite.

Every method may wait for a disk or a network: `asked` and `noted` call it in threads,
so that the hub's loop never does.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from hubyard.contract.entry import Entry, Settlement


P = ParamSpec("P")
T = TypeVar("T")

_THREADS = ThreadPoolExecutor(8, thread_name_prefix="ledger")
"""Apart from the loop's own threads: ending a process must not wait for these."""
_NOTES = ThreadPoolExecutor(2, thread_name_prefix="sightings")
"""Apart from the above: there are many notes, and each may be left out."""
_NOTE_PATIENCE_S = 0.5


async def asked(call: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What a method of the meter returns, which a thread waits for."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, partial(call, *args, **named))


async def noted(
    call: Callable[P, object], *args: P.args, **named: P.kwargs
) -> Future[object]:
    """Begin a call that may fail, and wait for it for a moment at most."""
    note = _NOTES.submit(call, *args, **named)
    await asyncio.wait([asyncio.wrap_future(note)], timeout=_NOTE_PATIENCE_S)
    return note


class Meter(Protocol):
    """What the spawner needs of a ledger.

    Each method but `saw` raises Unavailable where the ledger does not answer, within a
    minute; whether something was written is then open.
    """

    def open(self, entry: Entry) -> None:
        """Write an entry. Called by the spawner before the process exists.

        Raises:
            Rejected: this workload may not start; nothing was written.
        """
        ...

    def saw(self, entry_id: str, at: datetime) -> None:
        """Note that a workload lives. Called at each poll that finds it alive.

        A note that cannot be written is left out: it must not end what lives.
        """
        ...

    def last_seen(self, entry_id: str) -> datetime | None:
        """The newest moment noted. Called when an end has left no record."""
        ...

    def settle(self, settlement: Settlement) -> bool:
        """Write an end, once. Called by whoever notices it: the first one holds.

        Returns whether this was the first.
        """
        ...

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id. Called when a workload is found again."""
        ...

    def open_entries(
        self, owner: str | None = None, server_name: str | None = None
    ) -> list[Entry]:
        """Entries without an end. Called before a start and by the sweep."""
        ...


class MemoryMeter:
    """A meter that forgets with its process."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.settlements: dict[str, Settlement] = {}
        self._sightings: dict[str, datetime] = {}

    def open(self, entry: Entry) -> None:
        """Write an entry."""
        self.entries[entry.id] = entry

    def saw(self, entry_id: str, at: datetime) -> None:
        """Note that a workload lives."""
        self._sightings[entry_id] = max(at, self._sightings.get(entry_id, at))

    def last_seen(self, entry_id: str) -> datetime | None:
        """The newest moment noted."""
        return self._sightings.get(entry_id)

    def settle(self, settlement: Settlement) -> bool:
        """Write an end, once."""
        kept = self.settlements.setdefault(settlement.entry_id, settlement)
        return kept is settlement

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id."""
        return self.entries.get(entry_id)

    def open_entries(
        self, owner: str | None = None, server_name: str | None = None
    ) -> list[Entry]:
        """Entries without an end."""
        return [
            entry
            for entry in self.entries.values()
            if entry.id not in self.settlements
            and owner in {None, entry.owner}
            and server_name in {None, entry.server_name}
        ]
