"""kill -9 of all that fires schedules, again and again, while ten thousand come due.

A thousand schedules come due each minute of a clock that runs far too fast. Four
processes fire what is due, as four platforms would; every 25 ms on average, or as soon
as the machine has replaced the last, one of them is killed. The database server, where
it is PostgreSQL, is ended at once and started again three times. In the end each due
time must have its run, and only one.

fires       due times that there were
kills       processes that were killed
lost        due times without a run
duplicated  runs beside the first of a due time

A line for each database, and any fire lost or duplicated is an exit code of 1:

    schedules db=<name> fires=<n> kills=<n> lost=<n> duplicated=<n> seconds=<s>
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import SQLAlchemyError

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.schedule import Missed
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.store import Store
from hubyard_hub.store.tables import runs, schedules
from support.patience import PATIENCE_S
from support.postgres import cluster
from support.schedules import NOON, schedule_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkProcess

    from support.postgres import Cluster

MINUTE = timedelta(minutes=1)
PROCESSES = 4
PAUSE_S = 0.025
LAST_S = 60
"""So long they go on once all have come due."""
IDLE_S = 0.005
"""After a look that found nothing to do, or another one at it."""
TICK_EVERY_S = 0.4
RESTARTS = 3
_SCHEDULES = 1000

# Forked: a process that imports for a second would be killed before it fires.
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Toll:
    """What came of it."""

    fires: int
    kills: int
    lost: int
    duplicated: int
    seconds: float

    def line(self, database: str) -> str:
        """The last line."""
        return (
            f"schedules db={database} fires={self.fires} kills={self.kills} "
            f"lost={self.lost} duplicated={self.duplicated} "
            f"seconds={self.seconds:.1f}"
        )


class Firers:
    """Four processes that fire what is due by a clock that they share."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Without a lock: who is killed while it holds one would stop all others.
        self._minute = _FORK.RawValue("i", 0)
        self._all = [self._start() for _ in range(PROCESSES)]
        self.kills = 0

    def tick(self) -> None:
        """Let another minute be over."""
        self._minute.value += 1

    def kill_one(self) -> None:
        """Kill any of them; another one takes its place."""
        place = random.randrange(PROCESSES)
        self._end(self._all[place])
        self._all[place] = self._start()
        self.kills += 1

    def end(self) -> None:
        """Kill all of them."""
        for process in self._all:
            self._end(process)

    def _start(self) -> ForkProcess:
        process = _FORK.Process(target=self._fire_for_ever)
        process.start()
        return process

    def _end(self, process: ForkProcess) -> None:
        process.kill()
        process.join()

    def _fire_for_ever(self) -> None:
        store = Store(self._url)
        while True:
            # As the reconciler does: a store that is away is asked again.
            fired = 0
            with contextlib.suppress(SQLAlchemyError):
                fired = fire_due(store, NOON + self._minute.value * MINUTE)
            if not fired:
                time.sleep(IDLE_S)


def chaos(url: str, fires: int, server: Cluster | None) -> Toll:
    """Let so many fires come due and kill who starts them; what came of it.

    Args:
        url: an empty database.
        fires: a multiple of a thousand.
        server: whose database it is, to be restarted; None: it is SQLite.
    """
    ticks = fires // _SCHEDULES
    _in_child(url, _prepare)
    began = time.monotonic()
    firers = Firers(url)
    try:
        for tick in range(1, ticks):
            _kill_until(firers, time.monotonic() + TICK_EVERY_S)
            firers.tick()
            if server and tick * (RESTARTS + 1) // ticks > (
                (tick - 1) * (RESTARTS + 1) // ticks
            ):
                server.stop()
                server.start()
        end, kill_until = time.monotonic() + PATIENCE_S, time.monotonic() + LAST_S
        while _in_child(url, _count)[0] < fires and time.monotonic() < end:
            # Who was slow under the kills has lost nothing: in the end they rest.
            _kill_until(firers, min(time.monotonic() + 10 * PAUSE_S, kill_until))
    finally:
        firers.end()
    rows, fired = _in_child(url, _count)
    seconds = time.monotonic() - began
    return Toll(fires, firers.kills, fires - fired, rows - fired, seconds)


def _kill_until(firers: Firers, end: float) -> None:
    due = time.monotonic() + random.uniform(0, 2 * PAUSE_S)
    while due < end:
        time.sleep(max(0, due - time.monotonic()))
        firers.kill_one()
        due = max(due + random.uniform(0, 2 * PAUSE_S), time.monotonic())


def _in_child(url: str, work: Callable[[Store], Any]) -> Any:
    """Do something with the store in a process of its own.

    What forks must never have had an open database.
    """
    here, there = _FORK.Pipe()

    def do() -> None:
        store = Store(url)
        there.send(work(store))
        store.close()

    child = _FORK.Process(target=do)
    child.start()
    there.close()
    try:
        return here.recv()
    finally:
        child.join()


def _prepare(store: Store) -> None:
    store.migrate()
    rows = [schedule_row(missed=Missed.ALL) for _ in range(_SCHEDULES)]
    with store.write() as connection:
        connection.execute(insert(schedules), rows)


def _count(store: Store) -> tuple[int, int]:
    """How many runs there are, and how many due times have one."""
    each = select(runs.c.schedule_id, runs.c.fire_at).distinct().subquery()
    with store.read() as connection:
        rows = connection.scalars(select(func.count()).select_from(runs)).one()
        fired = connection.scalars(select(func.count()).select_from(each)).one()
    return rows, fired


@contextlib.contextmanager
def _databases(which: str) -> Iterator[dict[str, tuple[str, Cluster | None]]]:
    with contextlib.ExitStack() as undo:
        found: dict[str, tuple[str, Cluster | None]] = {}
        if which != "postgres":
            folder = undo.enter_context(tempfile.TemporaryDirectory())
            found["sqlite"] = (f"sqlite:///{folder}/hubyard.sqlite", None)
        if which != "sqlite":
            server = undo.enter_context(cluster())
            found["postgres"] = (server.url("chaos"), server)
        yield found


def main() -> int:
    """Run it; 1 where a fire was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fires", type=int, default=10_000)
    parser.add_argument("--db", choices=["sqlite", "postgres", "both"], default="both")
    arguments = parser.parse_args()
    wrong = 0
    with _databases(arguments.db) as databases:
        for name, (url, server) in databases.items():
            toll = chaos(url, arguments.fires, server)
            print(toll.line(name), flush=True)
            wrong += toll.lost + toll.duplicated
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
