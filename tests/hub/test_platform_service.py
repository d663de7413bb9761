"""The platform as a process of its own, behind the gate, beside a real hub."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from hubyard_hub.money.ledger import Ledger
from hubyard_hub.settings import Settings
from hubyard_hub.store import Store
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.ports import free_port
from support.hub import end_process, running_hub, wait_until_answers
from support.patience import PATIENCE_S, until
from support.platform import CATALOGUE, packed
from support.priced import PLATFORM_SCOPES, priced_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.hub import HubUnderTest

pytestmark = pytest.mark.hub

SCOPE = "access:services!service=hubyard"


class Place:
    """A hub and a platform process that may be killed."""

    def __init__(self, hub: HubUnderTest, settings: Settings, token: str) -> None:
        self.hub, self.settings = hub, settings
        self.environment = {
            **hub.service_environment("hubyard", settings.platform_port, token),
            "HUBYARD_STATE": str(settings.state),
        }
        self.url = f"http://127.0.0.1:{settings.platform_port}/services/hubyard/api"
        self.token = hub.token("ada")
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.settings.state / "platform.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "hubyard_hub.service"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_until_answers(f"{self.url}/health", process)
        return process

    def kill(self) -> None:
        end_process(self.process, signal.SIGKILL)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        token = more.pop("token", self.token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.request(
            method, f"{self.url}{path}", headers=headers, timeout=PATIENCE_S, **more
        )

    def status(self, run: str) -> str:
        return self.ask("GET", f"/runs/{run}").json()["status"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    state: Path = tmp_path_factory.mktemp("state")
    (state / "compute.toml").write_text(CATALOGUE)
    settings = Settings(state=state, catalogue=state / "compute.toml")
    token = settings.secret("service_hubyard")
    port = free_port()
    service = {
        "name": "hubyard",
        "api_token": token,
        "url": f"http://127.0.0.1:{port}",
        "timeout": 1,
    }
    roles = [
        {"name": "hubyard", "services": ["hubyard"], "scopes": PLATFORM_SCOPES},
        {"name": "user", "scopes": ["self", SCOPE]},
    ]
    folder = tmp_path_factory.mktemp("hub")
    with running_hub(
        folder, lines=priced_lines(state), services=[service], roles=roles
    ) as hub:
        hub.add_user("ada")
        hub_port = httpx.URL(hub.api_url).port or 0
        settings = Settings(
            state=state,
            catalogue=state / "compute.toml",
            hub_port=hub_port,
            platform_port=port,
            mlflow_port=1,
        )
        settings.save()
        place = Place(hub, settings, token)
        yield place
        end_process(place.process, signal.SIGTERM)
        store = Store(settings.database_url)
        for entry in Ledger(store).open_entries():
            Folder.of(settings.workloads, entry.id).kill()
        store.close()


@pytest.fixture(scope="module")
def digest(place: Place) -> str:
    return place.ask("POST", "/sources", content=packed()).json()["digest"]


def begin(place: Place, digest: str) -> str:
    wish = {"source": digest, "notebook": "train.ipynb"}
    answer = place.ask("POST", "/runs", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def token_of(place: Place, server: str) -> str:
    """A workload's own token, read as only its own Unix user can."""
    store = Store(place.settings.database_url)
    line = Ledger(store).newest("ada", server)
    store.close()
    assert line

    shim = Folder.of(place.settings.workloads, line.entry.id).shim()
    workload = psutil.Process(shim).children()[0]
    return workload.environ()["JUPYTERHUB_API_TOKEN"]


def test_nobody_passes_but_for_health(place: Place):
    assert place.ask("GET", "/health", token=None).json() == {"status": "ok"}
    assert place.ask("GET", "/me", token=None).status_code == 401
    assert place.ask("GET", "/me", token="nonsense").status_code == 401
    assert place.ask("GET", "/me").json()["name"] == "ada"
    weak = place.hub.token("ada", "read:users:name!user")
    assert place.ask("GET", "/runs", token=weak).status_code == 403


def test_a_run_does_its_job_with_its_own_token_and_nothing_else(
    place: Place, digest: str
):
    run = begin(place, digest)
    until(lambda: place.status(run) == "running")
    own = token_of(place, f"run-{run}")
    assert place.ask("GET", "/job", token=own).json()["run_id"] == run
    assert place.ask("GET", "/job/source", token=own).content == packed()
    assert place.ask("GET", "/runs", token=own).status_code == 403
    assert place.ask("POST", f"/runs/{run}/stop", token=own).status_code == 403
    record = {
        "revision": 1,
        "status": "succeeded",
        "started_at": "2026-01-01T00:00:00Z",
    }
    assert place.ask("PUT", "/job/record", token=own, json=record).status_code == 204
    assert place.status(run) == "succeeded"
    place.ask("POST", f"/runs/{run}/stop")
    until(lambda: place.ask("DELETE", f"/runs/{run}").status_code == 204)


def test_a_killed_platform_takes_up_where_it_was(place: Place, digest: str):
    before = begin(place, digest)
    place.kill()
    place.process = place.start()
    until(lambda: place.status(before) == "running")
    during = begin(place, digest)
    until(lambda: place.status(during) in {"starting", "running"})
    place.kill()
    place.process = place.start()
    until(lambda: place.status(during) == "running")
    for run in (before, during):
        place.ask("POST", f"/runs/{run}/stop")
    place.kill()
    place.process = place.start()
    for run in (before, during):
        until(lambda r=run: place.status(r) == "stopped")
    lines = place.ask("GET", "/spend").json()["lines"]
    names = [line["server_name"] for line in lines]
    assert names.count(f"run-{before}") == names.count(f"run-{during}") == 1
    assert all(line["ended_at"] for line in lines)


def test_it_stops_when_asked(place: Place):
    end_process(place.process, signal.SIGTERM)
    assert place.process.returncode in {0, -signal.SIGTERM}
    place.process = place.start()
    log = (place.settings.state / "platform.log").read_text()
    assert "Traceback" not in log
    assert place.token not in log
    assert place.environment["JUPYTERHUB_API_TOKEN"] not in log
