"""A storm: a thousand schedules come due in one second, and the hub starts their runs.

Nine hundred of them are Ana's, whose rows are the first; ten others have ten each. The
hub, the platform and the runs are real, each run one trivial cell. When as many have
begun as would be two of each owner it is over, and what still waits never begins. It
asserts no time; a schedule without its run, or a run with two starts, is an exit code
of 1.

rows_s      until each schedule had the row of its run, from when they came due
fair        owners by the number of starts until each had one: 1.00 is a start each
hub_p95_ms  the hub's API, asked ten times a second from when they came due

    schedules due=1000 rows_s=<s> fair=<x> hub_p95_ms=<n>

`--starts N` goes on until N runs have begun.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
from sqlalchemy import func, insert, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.client import Client
from hubyard.client.wire import Wire
from hubyard.contract.base import now
from hubyard.contract.schedule import ScheduleRequest
from hubyard.contract.workload import Kind, new_id
from hubyard_hub.store import Store
from hubyard_hub.store.tables import entries, runs, schedules
from support.cheap import profile
from support.patience import until
from support.platform import code_cell, notebook
from support.running import running

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from support.running import Person, Running

MANY, FEW, OTHERS = 900, 10, 10
DUE = MANY + FEW * OTHERS
OWNERS = 1 + OTHERS
STARTS = 2 * OWNERS
AHEAD = timedelta(seconds=5)
ASK_EVERY_S = 0.1
_ONCE_A_YEAR = "0 0 1 1 *"


def owners_of(hubyard: Running, ana: Person) -> list[Client]:
    """Ana and ten others, each with the one client."""
    names = [f"other-{number:02}" for number in range(OTHERS)]
    made = ana.hub("POST", "/users", usernames=names)
    assert made.status_code == 201, made.text
    clients = [hubyard.client(ana)]
    for name in names:
        token = ana.hub("POST", f"/users/{name}/tokens", note="bench").json()["token"]
        clients.append(Client(Wire(hubyard.settings.platform_url, token)))
    return clients


def due_at_once(store: Store, clients: list[Client], folder: Path) -> datetime:
    """Make a schedule of each, multiply it, and let all come due at one moment."""
    file = folder / "trivial.ipynb"
    file.write_bytes(notebook(code_cell("1 + 1")))
    made = [
        client.schedules.create(
            ScheduleRequest(
                source=client.sources.upload(file).digest,
                notebook=file.name,
                cron=_ONCE_A_YEAR,
                compute="plain",
            )
        ).id
        for client in clients
    ]
    copies = [MANY - 1, *[FEW - 1] * OTHERS]
    with store.write() as connection:
        rows = {
            row["id"]: dict(row)
            for row in connection.execute(select(schedules)).mappings()
        }
        for id_, count in zip(made, copies, strict=True):
            more = [{**rows[id_], "id": new_id()} for _ in range(count)]
            connection.execute(insert(schedules), more)
        due = now() + AHEAD
        connection.execute(schedules.update().values(next_fire=due))
    return due


@dataclass
class Asked:
    """The hub's API, asked again and again from a thread of its own."""

    url: str
    token: str
    times_ms: list[float] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        assert self._thread
        self._thread.join()

    @property
    def p95_ms(self) -> float:
        return sorted(self.times_ms)[int(len(self.times_ms) * 0.95)]

    def _ask_on(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(headers=headers, timeout=60) as http:
            while not self._ending.wait(ASK_EVERY_S):
                began = time.perf_counter()
                http.get(self.url).raise_for_status()
                self.times_ms.append((time.perf_counter() - began) * 1000)


def _rows(store: Store) -> int:
    with store.read() as connection:
        return connection.scalars(select(func.count()).select_from(runs)).one()


def _starts(store: Store) -> Sequence[Any]:
    """Of the runs that have begun, owner and server, the first one first."""
    wanted = select(entries.c.owner, entries.c.server_name)
    wanted = wanted.where(entries.c.kind == Kind.RUN).order_by(entries.c.number)
    with store.read() as connection:
        return connection.execute(wanted).all()


def wrong(store: Store) -> int:
    """How many runs are lacking or too many: rows of the schedules, and starts."""
    of_each = select(schedules.c.id, func.count(runs.c.id)).select_from(
        schedules.outerjoin(runs, runs.c.schedule_id == schedules.c.id)
    )
    with store.read() as connection:
        counts = [n for _, n in connection.execute(of_each.group_by(schedules.c.id))]
    starts = Counter(start.server_name for start in _starts(store))
    assert len(counts) == DUE
    return sum(n != 1 for n in [*counts, *starts.values()])


def fairness(order: list[str]) -> float:
    """Owners by the number of starts until each has had one."""
    first = [order.index(owner) for owner in set(order)]
    return OWNERS / (max(first) + 1) if len(first) == OWNERS else 0.0


def main() -> int:
    """Measure, and print the last line; 1 where a run is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=STARTS)
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalogue = folder / "compute.toml"
        catalogue.write_text('currency = "USD"\n' + profile("plain", memory="1 GiB"))
        with running(folder, "--catalogue", str(catalogue)) as hubyard:
            ana = hubyard.administrator()
            clients = owners_of(hubyard, ana)
            store = Store(hubyard.settings.database_url)
            due = due_at_once(store, clients, folder)
            time.sleep(max((due - now()).total_seconds(), 0))
            with Asked(f"{hubyard.url}/hub/api/users/ana", ana.token()) as asked:
                until(lambda: _rows(store) >= DUE)
                rows_s = (now() - due).total_seconds()
                until(lambda: len(_starts(store)) >= starts, hubyard.logs)
                took_s = (now() - due).total_seconds()
            order = [start.owner for start in _starts(store)]
            load = os.getloadavg()[0]
        bad = wrong(store)
        store.close()
    print("order: " + " ".join(name.removeprefix("other-") for name in order))
    print(
        f"cores={os.cpu_count()} load={load:.2f} starts={len(order)} in {took_s:.1f} s"
    )
    print(
        f"schedules due={DUE} rows_s={rows_s:.2f} fair={fairness(order):.2f} "
        f"hub_p95_ms={asked.p95_ms:.0f}"
    )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
