"""Fifty starts at once against a budget for ten, and every forged wish we can think of.

Starts a Hubyard in which bo has a hard budget with room for ten starts, and starts
fifty of his at once: by the spawn page's form, by the hub's API, and by options that
are patched onto a server before it is started. Then everybody asks for more time, and
eve, whom no budget holds back, forges prices, profiles, kinds, lifetimes and names.
Then a Hubyard stands ten minutes before the end of a month, and bo asks for time that
reaches into the next. In the end several processes admit starts of one budget on one
database by themselves, on SQLite and, where its server is installed, on PostgreSQL. All
of it goes by a clock of its own, so that the real month does not matter.

starts    that were asked for at once, of each budget
room      how many of them the budget covers
started   how many stand in the ledger
forged_accepted   forged wishes after which anything stood where it was not before

Each promise that was broken has a line, and any is an exit code of 1. The last line:

    budget starts=<n> room=<n> started=<n> forged_accepted=<n>
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.base import now
from hubyard.contract.run import RunRequest
from hubyard.contract.workload import Status
from hubyard_hub.money.audit import audit
from hubyard_hub.store import Store
from security.budget_border import at_the_border
from security.budget_extensions import attack_extensions
from security.budget_forgeries import Forgeries, a_source
from security.budget_place import COMPUTE, LIFETIME_S, place_in
from security.budget_race import race
from security.budget_starts import stampede
from support import needs
from support.months import NOON
from support.postgres import cluster
from support.wall_clock import go_by_our_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.budget_place import Place

STARTS, ROOM = 50, 10
PATIENCE_S = 60


@dataclass
class Tally:
    """What the attack came to."""

    starts: int
    room: int
    started: int = 0
    forged: int = 0
    accepted: list[str] = field(default_factory=list)
    """Forged wishes that were believed."""
    broken: list[str] = field(default_factory=list)
    """Other promises that were not kept."""

    @property
    def found(self) -> list[str]:
        """All that must not be."""
        accepted = [f"a forged wish was accepted: {each}" for each in self.accepted]
        return [*accepted, *self.broken]

    def line(self) -> str:
        """The last line."""
        return (
            f"budget starts={self.starts} room={self.room} started={self.started} "
            f"forged_accepted={len(self.accepted)}"
        )


def attack(folder: Path, starts: int = STARTS, room: int = ROOM) -> Tally:
    """Do all of it, and tell what was found."""
    tally = Tally(starts, room)
    with place_in(folder) as place:
        place.give_bo_room(room)
        began = time.monotonic()
        seen = stampede(place, starts, room)
        tally.started, tally.broken = seen.started, seen.broken
        took = time.monotonic() - began
        print(f"{starts} starts: {seen.started} within {took:.0f} s, ", end="")
        print(f"told to come again {seen.waited} times", flush=True)
        extended = attack_extensions(place)
        tally.accepted += extended.accepted
        tally.broken += extended.broken
        tally.broken += _run_over_budget(place)
        forgeries = Forgeries(place)
        forgeries.all()
        tally.forged = forgeries.tried
        tally.accepted += forgeries.accepted
        tally.broken += forgeries.broken
        told = " ".join(f"{k}x{n}" for k, n in sorted(forgeries.statuses.items()))
        print(f"{forgeries.tried} forged wishes: {told}", flush=True)
        tally.broken += _false_lines(place)
    tally.broken += at_the_border(folder / "border")
    for name, url in _databases(folder):
        raced = race(url, starts, room)
        tally.broken += [f"{name}: {fault}" for fault in raced.faults(starts, room)]
        print(f"{name}: {raced.started} of {starts} started", flush=True)
    return tally


def _run_over_budget(place: Place) -> list[str]:
    """A run is a wish that anybody may have; the budget refuses its start."""
    bo = place.hubyard.client(place.bo)
    wish = {**a_source(bo), "compute": COMPUTE, "lifetime_s": LIFETIME_S}
    before = len(place.entries("bo"))
    run = bo.runs.wait(bo.runs.start(RunRequest(**wish)).id, timeout_s=PATIENCE_S)
    why = run.failure.message if run.failure else ""
    refused = run.status is Status.FAILED and "budget of bo has" in why
    if refused and len(place.entries("bo")) == before:
        return []
    return [f"a run over the budget is {run.status}: {why}"]


def _false_lines(place: Place) -> list[str]:
    settings = place.hubyard.settings
    store = Store(settings.database_url)
    faults = audit(store, settings.workloads, now()).faults
    store.close()
    return [f"audit: {fault}" for fault in faults]


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    """An empty database of each kind that this machine has."""
    yield "SQLite", f"sqlite:///{folder / 'race.sqlite'}"
    if needs.postgres() is None:
        print("PostgreSQL's server is not installed: it is left out")
        return
    with cluster() as server:
        yield "PostgreSQL", server.url("race")


def main() -> int:
    """Attack, and print the last line."""
    go_by_our_own(NOON)
    with tempfile.TemporaryDirectory() as folder:
        tally = attack(Path(folder))
    for found in tally.found:
        print(found)
    print(tally.line())
    return 1 if tally.found else 0


if __name__ == "__main__":
    sys.exit(main())
