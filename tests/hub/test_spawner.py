"""The local spawner under a real hub: no start unrecorded, no end forgotten."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Limits
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_spawner.local import shim
from hubyard_spawner.local.folder import Folder, spec_text
from support import plain_workload_path
from support.hub import HubUnderTest
from support.lines import made, opened
from support.patience import PATIENCE_S, until

pytestmark = pytest.mark.hub

CATALOGUE = """
[[compute]]
name = "small"
cpu = 1
memory = "512 MiB"
price = 0.36
default_lifetime = "1h"
longest_lifetime = "2h"

[[compute]]
name = "tiny"
cpu = 1
memory = "128 MiB"
price = 0.1
default_lifetime = "1h"
longest_lifetime = "2h"

[[compute]]
name = "vast"
cpu = 1000
memory = "512 MiB"
price = 1
default_lifetime = "1h"
longest_lifetime = "2h"

[[compute]]
name = "secret"
cpu = 1
memory = "512 MiB"
price = 1
groups = ["ml"]
default_lifetime = "1h"
longest_lifetime = "2h"
"""

LINES = """
import sys
from pathlib import Path
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_spawner import workloads
from hubyard_spawner.catalogue import Catalogue
store = Store(f"sqlite:///{here}/hubyard.sqlite")
store.migrate()
plain = [sys.executable, {plain!r}]
workloads.WorkloadKind.cmd = property(lambda self: plain)
c.JupyterHub.spawner_class = "hubyard_spawner.local.spawner.LocalSpawner"
ledger = Ledger(store)
catalogue = Catalogue.load(Path("{here}/compute.toml"))
c.LocalSpawner.meter = lambda: ledger
c.LocalSpawner.catalogue = lambda: catalogue
c.LocalSpawner.workloads_dir = "{here}/workloads"
c.LocalSpawner.homes_dir = "{here}/homes"
c.LocalSpawner.poll_interval = 1
c.LocalSpawner.start_timeout = 12
c.JupyterHub.last_activity_interval = 5
"""
NO_CGROUPS = """
from hubyard_spawner.local.spawner import LocalSpawner
LocalSpawner.ladder.default_args = (Path("{here}/no-cgroups"),)
"""


IMPATIENT = """
import hubyard_hub.store as impatient
impatient._BUSY_TIMEOUT_S = impatient._TRY_FOR_S = 1
"""
_HUB_GIVES_UP_S = 6
"""Once the hub has waited for its own database for five seconds, it fails."""
_LOOKED_AFTER_S = 8
"""Twice what it takes until a stop is looked after, with polls of a second."""
BREAKS_OFF = """
from hubyard_spawner.local.spawner import LocalSpawner
its_stop, broken_off = LocalSpawner.stop, set()
async def stop(self, now=False):
    if self.name.startswith("workspace-broken-off") and self.name not in broken_off:
        broken_off.add(self.name)
        raise RuntimeError("JupyterHub's session is of no use")
    await its_stop(self, now)
LocalSpawner.stop = stop
"""
"""JupyterHub answers 2xx to such a stop, and forgets it."""
BLOCKED_S = 4
"""Less than anybody waits for a lock; a loop that waits for it answers nobody."""


class Place:
    """A hub with our spawner, and the ledger that it writes."""

    def __init__(self, folder, lines=LINES):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "compute.toml").write_text(CATALOGUE)
        plain = repr(plain_workload_path())
        text = lines.replace("{here}", str(folder)).replace("{plain!r}", plain)
        self.hub = HubUnderTest(
            folder,
            lines=[text],
            services=[{"name": "hubyard", "api_token": "hubyard-token-of-a-test"}],
            roles=[
                {
                    "name": "hubyard",
                    "services": ["hubyard"],
                    "scopes": ["start:servers", "delete:servers", "read:servers"],
                }
            ],
        )
        self.hub.start()
        self.hub.add_user("ana")
        self.store = Store(f"sqlite:///{folder}/hubyard.sqlite")
        self.ledger = Ledger(self.store)
        self.folder = folder

    def start(self, name, options=None, token=None):
        path = f"/users/ana/servers/{name}" if name else "/users/ana/server"
        if token is None:
            return self.hub.api("POST", path, json=options or {})
        headers = {"Authorization": f"token {token}"}
        url = self.hub.api_url + path
        return httpx.post(url, json=options or {}, headers=headers, timeout=PATIENCE_S)

    def stop(self, name):
        return self.hub.api("DELETE", f"/users/ana/servers/{name}")

    def server(self, name):
        return self.hub.api("GET", "/users/ana").json()["servers"][name]

    def is_active(self, name):
        answer = self.hub.api("GET", "/users/ana")
        # The first one after its database has failed is refused.
        server = answer.json()["servers"].get(name) if answer.is_success else None
        return not answer.is_success or bool(server and not server["stopped"])

    def pending(self, name):
        servers = self.hub.api("GET", "/users/ana").json()["servers"]
        return servers.get(name, {}).get("pending")

    def line(self, name, until_ended=True):  # noqa: FBT002  reads as a word at each call
        """The newest entry of a server and its settlement, once it has ended."""
        end = time.monotonic() + PATIENCE_S
        while True:
            line = self.ledger.newest("ana", name)
            if line and (line.end or not until_ended):
                return line.entry, line.end
            assert time.monotonic() < end, f"{name} was never settled: {line}"
            time.sleep(0.05)

    def processes(self, entry):
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("HUBYARD_ENTRY") == entry.id:
                    found.append(process.pid)
            except psutil.Error:
                continue
        return found

    def tokens(self):
        answer = self.hub.api("GET", "/users/ana/tokens").json()
        return [t for t in answer["api_tokens"] if "Server at" in t["note"]]

    def close(self):
        self.hub.stop()
        for entry in self.ledger.open_entries():
            for pid in self.processes(entry):
                psutil.Process(pid).kill()
        self.store.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("hub"))
    yield place
    place.close()


@pytest.fixture(scope="module")
def bare_place(tmp_path_factory):
    """On a machine that lets us make no control groups; its hub may be killed."""
    place = Place(tmp_path_factory.mktemp("bare"), LINES + NO_CGROUPS)
    yield place
    place.close()


@pytest.fixture(scope="module")
def place_that_gives_up(tmp_path_factory):
    """Its hub waits for the ledger for a second or two."""
    place = Place(tmp_path_factory.mktemp("impatient"), IMPATIENT + LINES + BREAKS_OFF)
    yield place
    place.close()


def test_a_start_is_priced_limited_and_on_record_before_it_is_ready(place):
    answer = place.start("workspace-one", {"compute": "small", "lifetime_s": 600})
    assert answer.status_code in {201, 202}, answer.text
    entry, settlement = place.line("workspace-one", until_ended=False)
    assert settlement is None
    assert (entry.compute, entry.price_micros) == ("small", 360_000)
    assert entry.lifetime_s == 600
    assert place.start("workspace-one").status_code in {202, 400}
    assert len(place.ledger.open_entries("ana", "workspace-one")) == 1
    place.stop("workspace-one")
    _, settlement = place.line("workspace-one")
    assert (settlement.reason, settlement.exact) == (EndReason.STOPPED, True)
    assert place.processes(entry) == []


@pytest.mark.parametrize(
    ("name", "options", "status", "words"),
    [
        ("workspace-x", {"compute": "huge"}, 422, "choose small"),
        ("workspace-x", {"compute": "secret"}, 422, "no compute called 'secret'"),
        ("workspace-x", {"compute": "vast"}, 400, "needs 1000 cores"),
        ("workspace-x", {"price": 0}, 422, "price is not known here"),
        ("workspace-x", {"lifetime_s": 99_999}, 422, "at most 2h"),
        ("workspace-x", {"lifetime_s": -1}, 422, "lifetime_s"),
        ("job-x", {}, 422, "cannot name a server"),
        ("run-x", {}, 403, "not started by hand"),
        ("app-x", {"kind": "workspace"}, 422, "names no workspace"),
        ("endpoint-x", {"kind": "endpoint"}, 403, "not started by hand"),
    ],
)
def test_a_start_that_may_not_be_is_refused_in_words(
    place, name, options, status, words
):
    answer = place.start(name, options)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["message"]
    assert place.ledger.newest("ana", name) is None


def test_only_the_platform_starts_the_other_kinds(place):
    answer = place.start("app-mine", {"kind": "app"}, "hubyard-token-of-a-test")
    assert answer.status_code in {201, 202}, answer.text
    place.stop("app-mine")
    assert place.line("app-mine")[0].kind == "app"


def test_a_death_before_listening_is_told_at_once_with_the_last_words(place):
    answer = place.start("workspace-dies-early")
    assert answer.status_code == 400
    assert "no such module: colour" in answer.json()["message"]
    _, settlement = place.line("workspace-dies-early")
    assert settlement.reason is EndReason.START_FAILED


@pytest.mark.parametrize("which", ["place", "bare_place"])
def test_memory_that_runs_out_is_named_whoever_holds_the_limit(which, request):
    place = request.getfixturevalue(which)
    answer = place.start("workspace-eats", {"compute": "tiny"})
    assert answer.status_code in {201, 202}, answer.text
    entry, settlement = place.line("workspace-eats")
    assert settlement.reason is EndReason.OUT_OF_MEMORY
    assert settlement.peak_memory_bytes > 100 * 2**20
    assert which == "place" or entry.limits is Limits.SOFT


def test_a_workload_whose_shim_is_killed_ends_with_it_and_was_killed(place):
    place.start("workspace-orphan")
    entry, _ = place.line("workspace-orphan", until_ended=False)
    shim_pid = Folder(place.folder / "workloads" / entry.id).shim()
    psutil.Process(shim_pid).kill()
    _, settlement = place.line("workspace-orphan")
    assert (settlement.reason, settlement.exact) == (EndReason.KILLED, False)
    assert settlement.ended_at >= entry.started_at
    assert place.processes(entry) == []


def test_what_a_hub_has_forgotten_is_ended_before_its_name_is_used_again(place):
    """As when the hub's database was put back from a copy."""
    entry = opened(place.ledger, server_name="workspace-again")
    folder = Folder(place.folder / "workloads" / entry.id)
    made(folder)
    sleeps = {"cmd": ["sleep", "60"], "cages": [], "cpus": 1, "memory": None}
    command = [sys.executable, "-I", "-S", shim.__file__, str(folder.path)]
    with subprocess.Popen([*command, spec_text({**sleeps, "grace_s": 1})]) as forgotten:
        while folder.shim() is None:
            assert forgotten.poll() is None
        place.start("workspace-again")
        assert forgotten.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert place.ledger.line(entry.id).end.reason is EndReason.STOPPED
    (current,) = place.ledger.open_entries("ana", "workspace-again")
    assert current.id != entry.id
    place.stop("workspace-again")
    assert place.line("workspace-again")[0].id == current.id


def test_what_never_listens_is_ended_and_settled(place):
    place.start("workspace-never-listens")
    entry, settlement = place.line("workspace-never-listens")
    assert settlement.reason is EndReason.START_FAILED
    assert place.processes(entry) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("workspace-ends-by-itself", EndReason.EXITED),
        ("workspace-is-killed", EndReason.KILLED),
    ],
)
def test_an_end_that_nobody_asked_for_is_exact(place, name, reason):
    place.start(name)
    entry, settlement = place.line(name)
    assert (settlement.reason, settlement.exact) == (reason, True)
    acted = Folder(place.folder / "workloads" / entry.id).scratch / "acted"
    assert abs(settlement.ended_at.timestamp() - acted.stat().st_mtime) < 1


def test_a_lifetime_ends_a_workspace_and_all_that_it_started(place):
    place.start("workspace-leaves-a-daemon", {"lifetime_s": 2})
    entry, settlement = place.line("workspace-leaves-a-daemon")
    assert settlement.reason is EndReason.LIFETIME
    assert place.processes(entry) == []


def test_no_server_token_outlives_its_server(place):
    until(lambda: not place.tokens(), place.tokens)


def test_a_workload_lives_through_a_killed_hub_and_its_end_is_known(bare_place):
    bare_place.start("workspace-lasting")
    entry, _ = bare_place.line("workspace-lasting", until_ended=False)
    bare_place.hub.kill_hub()
    bare_place.hub.start_hub()
    answer = bare_place.hub.api("GET", "/users/ana").json()
    assert answer["servers"]["workspace-lasting"]["ready"]
    bare_place.stop("workspace-lasting")
    settled, settlement = bare_place.line("workspace-lasting")
    assert (settled.id, settlement.reason) == (entry.id, EndReason.STOPPED)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_hub_that_ends_during_a_start_finds_the_workload_when_it_is_back(
    bare_place, how
):
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bare_place.start, "workspace-listens-late")
        entry = _born(bare_place, "workspace-listens-late")
        bare_place.hub.end_hub(how)
        broken_off = isinstance(asked.exception(), httpx.HTTPError)
        assert broken_off or asked.result().is_server_error
    bare_place.hub.start_hub()
    until(lambda: bare_place.server("workspace-listens-late")["ready"])
    answer = httpx.get(f"{bare_place.hub.url}/user/ana/workspace-listens-late/")
    assert answer.text == entry.id
    assert bare_place.line("workspace-listens-late", until_ended=False)[1] is None
    bare_place.stop("workspace-listens-late")
    bare_place.line("workspace-listens-late")


def test_a_start_that_is_taken_back_leaves_nothing_running(place):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(place.start, "workspace-listens-late")
        entry = _born(place, "workspace-listens-late")
        assert place.stop("workspace-listens-late").is_success
    _, settlement = place.line("workspace-listens-late")
    assert settlement.reason is EndReason.START_FAILED
    assert place.processes(entry) == []


def _born(place, name):
    """The entry of a start that is under way, once its workload has a process."""
    (entry,) = until(lambda: place.ledger.open_entries("ana", name))
    until(lambda: len(place.processes(entry)) > 1)
    return entry


def test_an_end_while_the_hub_is_dead_is_exact_all_the_same(bare_place):
    bare_place.start("workspace-unseen")
    entry, _ = bare_place.line("workspace-unseen", until_ended=False)
    bare_place.hub.kill_hub()
    (inner,) = [
        p
        for p in map(psutil.Process, bare_place.processes(entry))
        if "plain_workload" in " ".join(p.cmdline()) and "shim" not in str(p.cmdline())
    ]
    inner.send_signal(signal.SIGKILL)
    killed_at = time.time()
    time.sleep(2)
    bare_place.hub.start_hub()
    _, settlement = bare_place.line("workspace-unseen")
    assert (settlement.reason, settlement.exact) == (EndReason.KILLED, True)
    assert abs(settlement.ended_at.timestamp() - killed_at) < 1


@contextlib.contextmanager
def locked(place, name="hubyard.sqlite"):
    """A database, by default the ledger's, as somebody else keeps it locked."""
    file = place.folder / name
    other = sqlite3.connect(file, isolation_level=None, timeout=PATIENCE_S)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_a_locked_ledger_stops_neither_a_stop_nor_the_hub(place):
    place.start("workspace-stuck")
    entry, _ = place.line("workspace-stuck", until_ended=False)
    with ThreadPoolExecutor(1) as pool:
        with locked(place):
            stopped = pool.submit(place.stop, "workspace-stuck")
            until(lambda: place.processes(entry) == [])
            for _ in range(10):
                began = time.monotonic()
                assert place.hub.api("GET", "/users/ana").is_success
                assert time.monotonic() - began < BLOCKED_S
            assert place.ledger.line(entry.id).end is None
        assert stopped.result().is_success
    _, settlement = place.line("workspace-stuck")
    assert (settlement.reason, settlement.exact) == (EndReason.STOPPED, True)


def test_a_start_waits_for_a_locked_ledger_and_not_the_hub(place):
    with ThreadPoolExecutor(1) as pool:
        with locked(place):
            started = pool.submit(place.start, "workspace-waits")
            until(lambda: place.pending("workspace-waits") == "spawn")
            for _ in range(10):
                began = time.monotonic()
                assert place.hub.api("GET", "/users/ana").is_success
                assert time.monotonic() - began < BLOCKED_S
            assert place.ledger.open_entries("ana", "workspace-waits") == []
        assert started.result().is_success
    until(lambda: place.server("workspace-waits")["ready"])
    place.stop("workspace-waits")
    place.line("workspace-waits")


def test_a_ledger_that_stays_locked_refuses_starts_and_is_told_of_stops_later(
    place_that_gives_up,
):
    place = place_that_gives_up
    place.start("workspace-later")
    entry, _ = place.line("workspace-later", until_ended=False)
    with locked(place):
        assert place.stop("workspace-later").is_success
        assert place.processes(entry) == []
        answer = place.start("workspace-refused")
        assert answer.status_code == 503
        assert "The database does not answer" in answer.json()["message"]
        assert place.ledger.line(entry.id).end is None
    assert place.ledger.newest("ana", "workspace-refused") is None
    _, settlement = place.line("workspace-later")
    assert (settlement.reason, settlement.exact) == (EndReason.STOPPED, True)


@pytest.mark.parametrize("seen_to_end", [False, True])
def test_an_end_at_which_the_hubs_own_database_fails_is_noticed_later(
    place, seen_to_end
):
    """JupyterHub alone would take such a workload for running until it is restarted."""
    name = f"workspace-forgotten-{seen_to_end}".lower()
    place.start(name)
    entry, _ = place.line(name, until_ended=False)
    with locked(place, "hub.sqlite"):
        if seen_to_end:
            folder = Folder(place.folder / "workloads" / entry.id)
            assert folder.ask_to_end()
        else:
            place.stop(name)
        place.line(name)
        time.sleep(_HUB_GIVES_UP_S)
    until(lambda: not place.is_active(name), lambda: place.server(name))
    assert place.start(name).is_success
    place.stop(name)
    assert place.line(name)[0].id != entry.id


def test_a_start_at_which_the_hubs_own_database_fails_is_taken_up_again(place):
    name = "workspace-listens-late"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(place.start, name)
        entry = _born(place, name)
        with locked(place, "hub.sqlite"):  # it listens meanwhile
            assert asked.result().status_code == 500
    url = f"{place.hub.url}/user/ana/{name}/"
    until(lambda: httpx.get(url, timeout=PATIENCE_S).text == entry.id)
    assert Folder(place.folder / "workloads" / entry.id).ask_to_end()
    until(lambda: not place.is_active(name))
    assert place.line(name)[0].id == entry.id


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_stop_that_is_broken_off_is_carried_out(place_that_gives_up, is_locked):
    """Where the hub forgets the workload at once, and where it takes it for running."""
    place = place_that_gives_up
    name = f"workspace-broken-off-{is_locked}".lower()
    place.start(name)
    entry, _ = place.line(name, until_ended=False)
    with locked(place, "hub.sqlite") if is_locked else contextlib.nullcontext():
        assert place.stop(name).is_success
    until(lambda: place.processes(entry) == [])
    _, settlement = place.line(name)
    assert settlement.reason is EndReason.STOPPED
    until(lambda: not place.is_active(name))


def test_a_restart_right_after_a_stop_lives_on(place):
    """What looks after an earlier stop must not take the new workload for the old."""
    name = "workspace-again"
    place.start(name)
    place.line(name, until_ended=False)
    assert place.stop(name).is_success
    old, _ = place.line(name)
    assert place.start(name).is_success
    new, _ = place.line(name, until_ended=False)
    assert new.id != old.id
    time.sleep(_LOOKED_AFTER_S)
    assert place.is_active(name)
    assert place.ledger.line(new.id).end is None
    place.stop(name)
    place.line(name)
