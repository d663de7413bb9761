"""Models on a real hub: MLflow behind its gate, and a platform's parts beside them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from hubyard_hub.models.mlflow_client import MlflowClient
from hubyard_hub.models.registry import Models
from hubyard_hub.models.tracked import Tracking
from hubyard_hub.parts import Parts
from hubyard_hub.serving.deployments import Deployments
from hubyard_hub.workloads.hub_client import HubClient
from hubyard_spawner.local.ports import free_port
from support.hub import REPOSITORY, end_process, running_hub, wait_until_answers
from support.platform import settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.hub import HubUnderTest

SCOPE = "access:services!service=mlflow"


class Place:
    """A hub, an MLflow behind its gate, and a platform's parts beside them."""

    def __init__(self, folder: Path, hub: HubUnderTest, port: int) -> None:
        settings = settings_in(folder)
        settings = replace(settings, mlflow_port=port)
        settings.save()
        self.process = self._mlflow(hub, port, folder)
        parts = Parts.build(settings)
        self.parts = replace(
            parts,
            hub=HubClient(hub.api_url, "platform-token-of-a-test"),
            mlflow=MlflowClient(settings.mlflow_url),
        )
        self.tracking, self.models = Tracking(self.parts), Models(self.parts)
        self.deployments = Deployments(self.parts)
        self.ada, self.bob = hub.token("ada"), hub.token("bob")
        self.stranger = hub.token("ada", "read:users:name!user")

    @staticmethod
    def _mlflow(hub: HubUnderTest, port: int, state: Path) -> subprocess.Popen[bytes]:
        site = state / "site" / "hubyard_under_test-0.dist-info"
        site.mkdir(parents=True)
        (site / "METADATA").write_text("Name: hubyard-under-test\nVersion: 0\n")
        entry = "[mlflow.app]\nhubyard = hubyard_hub.mlflow_app:create_app\n"
        (site / "entry_points.txt").write_text(entry)
        rooms = [
            str(REPOSITORY / room) for room in ("kernels", "spawner", "hub_config")
        ]
        environment = {
            **hub.service_environment("mlflow", port, "mlflow-token-of-a-test"),
            "HUBYARD_STATE": str(state),
            "PYTHONPATH": os.pathsep.join([str(site.parent), *rooms]),
        }
        command = [sys.executable, "-m", "hubyard_hub.mlflow_app"]
        with (state / "mlflow.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_until_answers(f"http://127.0.0.1:{port}", process)
        return process


@contextlib.contextmanager
def models_place(folder: Path) -> Iterator[Place]:
    """Run it in a folder; gone at the end."""
    port = free_port()
    services = [
        {
            "name": "mlflow",
            "url": f"http://127.0.0.1:{port}",
            "api_token": "mlflow-token-of-a-test",
            "oauth_no_confirm": True,
            "timeout": 1,
        }
    ]
    roles = [{"name": "user", "scopes": ["self", SCOPE]}]
    state, hub_folder = folder / "state", folder / "hub"
    state.mkdir()
    hub_folder.mkdir()
    with running_hub(hub_folder, services=services, roles=roles) as hub:
        hub.add_user("ada")
        hub.add_user("bob")
        place = Place(state, hub, port)
        try:
            yield place
        finally:
            place.parts.close()
            end_process(place.process, signal.SIGTERM)
