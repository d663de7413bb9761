"""The reconciler over a real hub: what is wished for comes about, whatever dies."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from hubyard.contract.app import AppRequest, Share
from hubyard.contract.errors import Forbidden, Rejected
from hubyard.contract.identity import Identity
from hubyard.contract.run import RunRecord, RunRequest
from hubyard.contract.workload import Status
from hubyard_hub.apps.published import Apps
from hubyard_hub.money.export import records
from hubyard_hub.parts import Parts
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.runs.runs import Runs
from hubyard_hub.workloads.hub_client import HubClient
from hubyard_spawner.local.folder import Folder
from support.hub import HubUnderTest
from support.patience import until
from support.platform import packed, settings_in
from support.priced import PLATFORM_SCOPES, priced_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.hub

TOKEN = "hubyard-token-of-a-test"
ADA = Identity(name="ada")
SHARERS = {
    "name": "user",
    "scopes": ["self", "shares!user", "read:users:name", "read:groups:name"],
}


class Place:
    """A hub, the parts of a platform beside it, and a reconciler."""

    def __init__(self, folder: Path) -> None:
        state = folder / "state"
        state.mkdir(mode=0o700)
        parts = Parts.build(settings_in(state))
        self.hub = HubUnderTest(
            folder / "hub",
            lines=priced_lines(state),
            services=[{"name": "hubyard", "api_token": TOKEN}],
            roles=[
                {
                    "name": "hubyard",
                    "services": ["hubyard"],
                    "scopes": PLATFORM_SCOPES,
                },
                SHARERS,
            ],
        )
        self.hub.start()
        self.hub.add_user("ada")
        self.hub.add_user("bob")
        client = HubClient(self.hub.api_url, TOKEN)
        self.parts = replace(parts, hub=client)
        self.runs, self.apps = Runs(self.parts), Apps(self.parts)
        with self.parts.blobs.receive(10**6) as upload:
            upload.write(packed())
            self.source = self.parts.sources.add("ada", upload).digest
        self.reconciler = Reconciler(self.parts)
        self.reconciler.start()

    def run(self) -> str:
        wish = RunRequest(source=self.source, notebook="train.ipynb")
        return self.runs.create(ADA, wish).id

    def app(self) -> str:
        wish = AppRequest(source=self.source, path="train.ipynb")
        return self.apps.create(ADA, wish).id

    def line(self, server: str) -> Any:
        return self.parts.ledger.newest("ada", server)

    def starts(self, server: str) -> int:
        """How many entries the ledger has of a server."""
        with self.parts.store.read() as connection:
            every = records(connection, owner="ada")
        return sum(record.server_name == server for record in every)

    def process(self, server: str) -> psutil.Process:
        """The workload itself, below its shim."""
        entry = self.line(server).entry
        shim = Folder.of(self.parts.settings.workloads, entry.id).shim()
        assert shim, f"{server} does not run"
        return psutil.Process(shim).children()[0]

    def close(self) -> None:
        self.reconciler.stop()
        for entry in self.parts.ledger.open_entries():
            Folder.of(self.parts.settings.workloads, entry.id).kill()
        self.hub.stop()
        self.parts.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("place"))
    yield place
    place.close()


def test_a_run_starts_and_ends_by_its_own_word(place: Place):
    id_ = place.run()
    until(lambda: place.runs.get("ada", id_).status is Status.RUNNING)
    started = place.runs.get("ada", id_)
    assert started.cost is not None
    record = RunRecord(
        revision=2, status=Status.SUCCEEDED, started_at=started.created_at
    )
    place.runs.record("ada", id_, record)
    place.process(f"run-{id_}").terminate()
    until(lambda: place.runs.row("ada", id_)["closed"])
    assert place.runs.get("ada", id_).status is Status.SUCCEEDED
    assert place.line(f"run-{id_}").end is not None
    gone = place.hub.api("GET", f"/users/ada/servers/run-{id_}")
    assert gone.status_code == 404


def test_a_killed_run_failed_and_says_so(place: Place):
    id_ = place.run()
    until(lambda: place.runs.get("ada", id_).status is Status.RUNNING)
    place.process(f"run-{id_}").kill()
    until(lambda: place.runs.get("ada", id_).status is Status.FAILED)
    failure = place.runs.get("ada", id_).failure
    assert failure is not None
    assert failure.reason == "killed"
    assert "signal 9" in failure.message
    until(lambda: place.runs.row("ada", id_)["closed"])


def test_a_run_is_stopped(place: Place):
    id_ = place.run()
    until(lambda: place.runs.get("ada", id_).status is Status.RUNNING)
    process = place.process(f"run-{id_}")
    place.runs.stop("ada", id_)
    until(lambda: place.runs.get("ada", id_).status is Status.STOPPED)
    assert not process.is_running()
    until(lambda: place.runs.row("ada", id_)["closed"])
    place.runs.remove("ada", id_)


def test_an_app_starts_is_shared_stops_and_starts_again(place: Place):
    id_ = place.app()
    until(lambda: place.apps.get("ada", id_).status is Status.READY)
    token = place.hub.token("ada")
    shared = place.apps.share("ada", token, id_, Share(user="bob"))
    assert shared.shares == (Share(user="bob"),)
    listed = place.hub.api("GET", f"/shares/ada/app-{id_}").json()
    assert [item["user"]["name"] for item in listed["items"]] == ["bob"]
    place.apps.stop("ada", id_)
    until(lambda: place.apps.row("ada", id_)["closed"])
    assert place.apps.get("ada", id_).status is Status.STOPPED
    first = place.line(f"app-{id_}").entry.id
    place.apps.start("ada", id_)
    until(lambda: place.apps.get("ada", id_).status is Status.READY)
    assert place.line(f"app-{id_}").entry.id != first
    still = place.hub.api("GET", f"/shares/ada/app-{id_}").json()
    assert len(still["items"]) == 1
    assert place.apps.unshare("ada", token, id_, Share(user="bob")).shares == ()
    with pytest.raises(Rejected, match="No such user"):
        place.apps.share("ada", token, id_, Share(user="nobody"))
    weak = place.hub.token("ada", "access:servers!user")
    with pytest.raises(Forbidden):
        place.apps.share("ada", weak, id_, Share(user="bob"))
    place.apps.stop("ada", id_)
    until(lambda: place.apps.row("ada", id_)["closed"])
    place.apps.remove("ada", id_)
    gone = place.hub.api("GET", f"/users/ada/servers/app-{id_}")
    assert gone.status_code == 404


def test_a_key_reaches_one_server_and_nothing_else(place: Place):
    id_ = place.app()
    until(lambda: place.apps.get("ada", id_).status is Status.READY)
    token = place.hub.token("ada")
    key = place.parts.hub.make_key(token, "ada", f"app-{id_}", expires_in_s=3600)
    assert set(key["scopes"]) == {
        f"access:servers!server=ada/app-{id_}",
        "read:users:name!user=ada",  # the hub lets every token say whose it is
        "read:users:groups!user=ada",
    }
    headers = {"Authorization": f"token {key['token']}"}
    for path in ("/users", "/users/ada/tokens", f"/users/ada/servers/app-{id_}"):
        answer = httpx.get(f"{place.hub.api_url}{path}", headers=headers)
        assert answer.status_code in {403, 404}, path
    place.apps.stop("ada", id_)
    until(lambda: place.apps.row("ada", id_)["closed"])


def test_a_refused_start_failed_in_the_hubs_words(place: Place):
    row = place.runs.row("ada", place.run())
    until(lambda: place.runs.get("ada", row["id"]).status is Status.RUNNING)
    place.runs.stop("ada", row["id"])
    stranger = {**row, "id": "01zzzzzzzzzzzzzzzzzzzzzzzz", "compute": "giant"}
    stranger["server_name"] = f"run-{stranger['id']}"
    place.runs._wishes.insert(stranger)
    until(lambda: place.runs.get("ada", stranger["id"]).status is Status.FAILED)
    failure = place.runs.get("ada", stranger["id"]).failure
    assert failure is not None
    assert failure.reason == "start-failed"
    assert "1000 cores" in failure.message
    until(lambda: place.runs.row("ada", stranger["id"])["closed"])


def test_the_hub_may_be_killed_at_any_time(place: Place):
    before = [place.run() for _ in range(2)]
    place.hub.kill_hub()
    during = [place.run() for _ in range(2)]
    time.sleep(1)
    place.hub.start_hub()
    for id_ in [*before, *during]:
        until(lambda i=id_: place.runs.get("ada", i).status is Status.RUNNING)
        assert place.starts(f"run-{id_}") == 1, "started twice"
    for id_ in [*before, *during]:
        place.runs.stop("ada", id_)
    for id_ in [*before, *during]:
        until(lambda i=id_: place.runs.row("ada", i)["closed"])
    assert place.parts.ledger.open_entries() == []
