"""What a scheduler of notebooks must do, in one real Hubyard.

Each of these is a thing that jupyter-scheduler does not do. Those that other tests show
are not repeated here:

- one start, however many platforms fire: `test_schedule_core`, on both databases and
  with kill -9, for the fires; here for the starts
- `hubyard stop` from a terminal of its own: `tests/guides`, for the command; here for
  the end that it leads to
- another person's runs, each route of them: `make attack`; here for one that runs
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from sqlalchemy import select, update

from hubyard.contract.errors import NotFound, Unavailable
from hubyard.contract.run import CellStatus, FailureReason
from hubyard.contract.schedule import DropReason, Missed, Overlap, ScheduleRequest
from hubyard.contract.workload import Status
from hubyard_hub.store import Store, tables
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.ports import free_port
from support.furnish import ask_for_run, start_run, upload_notebook
from support.hub import end_process, wait_until_answers
from support.patience import SOON_S, until
from support.running import running

pytestmark = pytest.mark.hub

DAY = timedelta(days=1)
VISIBLE_S = 2.0
"""When a cell that has ended is seen to have, at the latest."""
ENDLESS = ["print('begun')", "import time\nwhile True: time.sleep(1)", "3"]


class Place:
    """A Hubyard, two people, and the database that the clock is turned in."""

    def __init__(self, hubyard):
        self.hubyard = hubyard
        self.ana = hubyard.administrator()
        self.client = hubyard.client(self.ana)
        self.store = Store(hubyard.settings.database_url)

    def schedule(self, cells, **more):
        """A schedule of every midnight."""
        source = upload_notebook(self.client, "nightly", cells)
        asked = ScheduleRequest(
            source=source.digest, notebook=source.notebook, cron="0 0 * * *", **more
        )
        return self.client.schedules.create(asked).id

    def came_due(self, schedule, days):
        """Let it have come due last midnight and on days before; nobody has looked."""
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        due = midnight - days * DAY
        change = update(tables.schedules).where(tables.schedules.c.id == schedule)
        with self.store.write() as connection:
            connection.execute(change.values(next_fire=due))
        return due

    def runs_of(self, schedule):
        return self.client.runs.list(schedule)

    def row(self, run):
        with self.store.read() as connection:
            wanted = select(tables.runs).where(tables.runs.c.id == run)
            return connection.execute(wanted).mappings().one()

    def starts(self, run):
        """How often the ledger has seen it start."""
        entries = tables.entries.c
        with self.store.read() as connection:
            wanted = select(entries.id).where(entries.server_name == f"run-{run}")
            return len(connection.execute(wanted).all())

    def process(self, run):
        """The run itself, below its shim."""
        found = self.client.workloads()
        entry = next(w for w in found if w.server_name == f"run-{run}")
        folder = Folder.of(self.hubyard.settings.workloads, entry.entry_id)
        return psutil.Process(folder.shim()).children()[0]

    def answers(self):
        """Whether hub and platform are there for her."""
        with contextlib.suppress(Unavailable):
            return bool(self.client.me())
        return False

    def ended(self, run):
        return self.client.runs.wait(run, timeout_s=180)

    def command(self, *arguments):
        """What a terminal of its own says to `hubyard`."""
        told = {
            **os.environ,
            "HUBYARD_PLATFORM_URL": self.hubyard.settings.platform_url,
            "HUBYARD_TOKEN": self.ana.token(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "hubyard.cli", *arguments],
            env=told,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("acceptance")) as hubyard:
        place = Place(hubyard)
        yield place
        place.store.close()


@contextlib.contextmanager
def second_platform(hubyard, folder):
    """Another process of the platform beside the first one, on the same database."""
    told = psutil.Process(hubyard.pids()["platform"]).environ()
    url = f"http://127.0.0.1:{free_port()}"
    with (folder / "platform.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubyard_hub.service"],
            env={**told, "JUPYTERHUB_SERVICE_URL": url},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_answers(f"{url}/services/hubyard/api/health", process)
        yield
    finally:
        end_process(process, signal.SIGTERM)


def test_a_schedule_fires_while_its_owners_workspace_is_stopped(place):
    place.ana.start_workspace()
    schedule = place.schedule(["1 + 1"])
    place.ana.hub("DELETE", f"/users/{place.ana.name}/server")
    until(lambda: not place.client.workloads())
    due = place.came_due(schedule, days=0)
    (run,) = until(lambda: place.runs_of(schedule))
    assert run.fire_at == due
    assert place.ended(run.id).status is Status.SUCCEEDED


def test_two_platforms_start_each_fire_once(place, tmp_path):
    schedule = place.schedule(["1"], missed=Missed.ALL, overlap=Overlap.ALLOW)
    with second_platform(place.hubyard, tmp_path):
        due = place.came_due(schedule, days=3)
        until(lambda: len(place.runs_of(schedule)) >= 4)
        runs = place.runs_of(schedule)
        for run in runs:
            assert place.ended(run.id).status is Status.SUCCEEDED
    assert sorted(run.fire_at for run in runs) == [due + n * DAY for n in range(4)]
    assert [place.starts(run.id) for run in runs] == [1] * 4


def test_a_run_that_waits_for_its_turn_is_queued(place, tmp_path):
    go = tmp_path / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.1)"
    schedule = place.schedule([wait], missed=Missed.ALL, overlap=Overlap.QUEUE)
    place.came_due(schedule, days=1)
    first, later = until(
        lambda: sorted(place.runs_of(schedule), key=lambda run: run.fire_at)
    )
    until(lambda: place.client.runs.get(first.id).status is Status.RUNNING)
    assert place.client.runs.get(later.id).status is Status.PENDING
    listed = place.command("runs", "--schedule", schedule)
    assert re.search(rf"{later.id} .* queued ", listed), listed
    go.touch()
    for run in (first, later):
        assert place.ended(run.id).status is Status.SUCCEEDED


def test_a_cell_that_has_ended_is_seen_within_two_seconds(place):
    cells = ["import time; time.sleep(0.7)"] * 7
    run = ask_for_run(place.client, "steady", cells)
    seen = {}

    def all_seen():
        now = place.client.runs.get(run.id)
        moment = datetime.now(UTC)
        for cell in now.cells:
            if cell.status is CellStatus.SUCCEEDED:
                seen.setdefault(cell.index, (moment - cell.ended_at).total_seconds())
        return now.ended_at

    until(all_seen)
    assert sorted(seen) == list(range(len(cells)))
    # The median: on a busy machine, whoever asks may wait himself.
    assert statistics.median(seen.values()) < VISIBLE_S, seen


def test_a_killed_run_has_failed_for_a_reason_within_half_a_minute(place):
    trains = "import mlflow\nmlflow.start_run(run_name='half-way')"
    run = start_run(place.client, "killed", [trains, *ENDLESS])
    until(lambda: place.client.tracked_runs().runs)
    place.process(run.id).kill()
    killed = datetime.now(UTC)
    ended = place.ended(run.id)
    assert ended.status is Status.FAILED
    assert ended.failure.reason is FailureReason.KILLED
    assert "signal 9" in ended.failure.message
    assert (place.row(run.id)["changed_at"] - killed).total_seconds() < SOON_S
    check_bill(ended)
    until(lambda: place.row(run.id)["closed"])
    until(lambda: place.client.tracked_runs().runs[0].status == "FAILED")
    (tracked,) = place.client.tracked_runs().runs
    assert (tracked.name, tracked.run) == ("half-way", run.id)
    assert abs(tracked.ended_at - ended.ended_at) < timedelta(seconds=1)


def test_a_failed_run_has_its_end_its_duration_and_its_cost(place):
    ended = place.ended(ask_for_run(place.client, "broken", ["1", "1 / 0"]).id)
    assert ended.failure.reason is FailureReason.CELL_ERROR
    check_bill(ended)


def check_bill(run):
    assert run.started_at < run.ended_at
    assert run.cost.micros > 0


def test_any_terminal_may_stop_a_run_and_no_other_person(place):
    run = start_run(place.client, "private", ENDLESS)
    bob = place.hubyard.person("bob", admits=place.ana)
    with place.hubyard.client(bob) as others:
        assert others.runs.list() == []
        for act in (
            *(others.runs.get, others.runs.stop, others.runs.delete),
            *(others.runs.log, others.runs.notebook, others.runs.report),
        ):
            with pytest.raises(NotFound):
                act(run.id)
    server = f"/users/{place.ana.name}/servers/run-{run.id}"
    assert bob.hub("DELETE", server).status_code in {403, 404}
    assert bob.http.get(place.client.runs.get(run.id).url).status_code in {403, 404}
    assert place.client.runs.get(run.id).status is Status.RUNNING

    place.command("stop", run.id)
    ended = place.ended(run.id)
    assert ended.status is Status.STOPPED
    check_bill(ended)


def test_what_came_due_while_hub_and_platform_were_down_follows_its_policy(place):
    more = {"overlap": Overlap.ALLOW, "grace_s": 1}
    made = {m: place.schedule(["1"], missed=m, **more) for m in Missed}
    for name in ("hub", "platform"):
        place.hubyard.kill(name)
    (due,) = {place.came_due(schedule, days=3) for schedule in made.values()}
    until(place.answers)
    client = place.client
    for schedule in made.values():
        until(lambda s=schedule: client.schedules.get(s).next_fire > due + 3 * DAY)
    runs = {missed: place.runs_of(made[missed]) for missed in Missed}
    for run in [run for each in runs.values() for run in each]:
        client.runs.stop(run.id)
        place.ended(run.id)
    days = [due + n * DAY for n in range(4)]
    assert {missed: sorted(r.fire_at for r in runs[missed]) for missed in Missed} == {
        Missed.SKIP: [],
        Missed.ONCE: days[-1:],
        Missed.ALL: days,
    }
    shown = {m: client.schedules.get(made[m]).dropped for m in Missed}
    assert {
        m: [(each.why, each.count) for each in found] for m, found in shown.items()
    } == {
        Missed.SKIP: [(DropReason.MISSED, 4)],
        Missed.ONCE: [(DropReason.MISSED, 3)],
        Missed.ALL: [],
    }
