"""MLflow behind the gate of a real hub, and members who ask it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from hubyard_hub.settings import Settings
from hubyard_spawner.local.ports import free_port
from hubyard_spawner.workloads import PLATFORM_SERVICE
from support.hub import REPOSITORY, end_process, running_hub, wait_until_answers
from support.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# -P: the modules beside it are not for it to import.
ECHO = [sys.executable, "-P", str(REPOSITORY / "tests" / "support" / "echo.py")]
SERVICE_TOKEN = "mlflow-service-token-of-a-test"
PLATFORM_TOKEN = "platform-service-token-of-a-test"
SCOPE = "access:services!service=mlflow"
API = "/api/2.0/mlflow"
PEOPLE = ("alice", "bob", "carol", "dörte", "root")


class Member:
    """Somebody who calls MLflow's REST interface."""

    def __init__(self, hub, token):
        self.token = token
        self.http = httpx.Client(
            base_url=f"{hub.url}/services/mlflow",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    def create_experiment(self, name):
        answer = self.post("experiments/create", name=name)
        return answer.raise_for_status().json()["experiment_id"]

    def create_run(self, experiment):
        answer = self.post("runs/create", experiment_id=experiment)
        return answer.raise_for_status().json()["run"]["info"]

    def post(self, call, **body):
        return self.http.post(f"{API}/{call}", json=body)

    def get(self, call, **query):
        return self.http.get(f"{API}/{call}", params=query)

    def experiments(self):
        answer = self.post("experiments/search", max_results=1000).raise_for_status()
        return {found["name"] for found in answer.json().get("experiments", [])}


@dataclass
class Gated:
    """A hub, MLflow behind its gate, and where its files are."""

    hub: Any
    state: Path
    process: subprocess.Popen[bytes]

    def member(self, name: str) -> Member:
        """Somebody with a token of their own; `root` is an administrator."""
        return Member(self.hub, self.hub.token(name))


@contextlib.contextmanager
def gated_mlflow(folder: Path) -> Iterator[Gated]:
    """Run both in `folder`; gone at the end."""
    port = free_port()
    settings = Settings(
        state=folder / "s t%te",
        catalogue=REPOSITORY / "hub_config" / "compute.toml",
    )
    settings.save()
    with running_hub(
        folder / "hub",
        groups={"ds": ["alice", "bob"], "Ops, night": ["carol"]},
        services=[
            {
                "name": "mlflow",
                "url": f"http://127.0.0.1:{port}",
                "api_token": SERVICE_TOKEN,
                "oauth_no_confirm": True,
                "timeout": 1,
            },
            {"name": PLATFORM_SERVICE, "api_token": PLATFORM_TOKEN},
        ],
        roles=[
            {"name": "asks", "services": [PLATFORM_SERVICE], "scopes": [SCOPE]},
            {
                "name": "follows",
                "services": ["mlflow"],
                "scopes": ["list:users", "read:users:groups"],
            },
            {"name": "user", "scopes": ["self", SCOPE]},
            {
                "name": "server",
                "scopes": ["users:activity!user", "access:servers!server", SCOPE],
            },
        ],
        lines=[f"c.Spawner.cmd = {ECHO!r}"],
    ) as hub:
        for name in PEOPLE:
            hub.add_user(name)
        environment = {
            **hub.service_environment("mlflow", port, SERVICE_TOKEN),
            "HUBYARD_STATE": str(settings.state),
            "PYTHONPATH": os.pathsep.join(_path(folder)),
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9/not/for/the/server",
        }
        with (settings.state / "mlflow.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "hubyard_hub.mlflow_app"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        wait_until_answers(f"http://127.0.0.1:{port}", process)
        health = f"{hub.url}/services/mlflow/health"
        until(lambda: httpx.get(health).status_code != 404)
        yield Gated(hub, settings.state, process)
        end_process(process, signal.SIGTERM)


def _path(folder: Path) -> list[str]:
    """The rooms, and our entry points for a tree that is not installed."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    info = folder / "site" / "hubyard_under_test-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: hubyard-under-test\nVersion: 0\n")
    lines = [
        f"{name} = {value}"
        for name, value in project["entry-points"]["mlflow.app"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(["[mlflow.app]", *lines, ""]))
    rooms = ("kernels", "spawner", "hub_config")
    return [str(info.parent), *(str(REPOSITORY / room) for room in rooms)]
