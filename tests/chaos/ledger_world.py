"""A Hubyard for `chaos-ledger`, and how its four kinds are started and stopped.

Most workloads are cheap processes, as their compute says (see `ledger_program`); the
hub, its spawner, the shims and the platform are the real ones.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx

from hubyard.contract.app import AppRequest
from hubyard.contract.deployment import DeploymentRequest
from hubyard.contract.errors import HubyardError, Unavailable
from hubyard.contract.run import RunRequest
from hubyard.contract.tracking import RegisterRequest
from hubyard.contract.workload import Kind
from support.cheap import cheap, profile
from support.furnish import train
from support.hub import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.running import Running
    from support.wall_clock import WallClock

T = TypeVar("T")

OWNER = "ana"
PATIENCE_S = 600.0
"""A hub that is killed again and again may be away for most of the time."""
_PROGRAM = Path(__file__).with_name("ledger_program.py")
CHEAP = ("plain", "brief", "messy")
"""Compute whose name says how a workload behaves (see `ledger_program`)."""
_CELLS = ["import time", "time.sleep(3600)"]
_CREATED, _ACCEPTED, _BAD, _THROTTLED = 201, 202, 400, 429


@contextlib.contextmanager
def world_in(folder: Path, clock: WallClock | None) -> Iterator[World]:
    """A Hubyard that goes by a clock of ours, and Ana in it; gone at the end."""
    profiles = [profile(name) for name in CHEAP]
    profiles.append(profile("real", memory="1 GiB"))
    environment = clock.environment if clock else {}
    with cheap(folder, profiles, str(_PROGRAM), environment) as hubyard:
        yield World(hubyard)


class Throttled(Unavailable):
    """The hub starts too much at once; ask again later."""


@dataclass
class World:
    """Ana's hands: each takes what it is told through kills of hub and platform."""

    hubyard: Running

    def __post_init__(self) -> None:
        settings = self.hubyard.settings
        ana = self.hubyard.administrator(OWNER)
        self.client = self.hubyard.client(ana)
        self._hub = httpx.Client(
            base_url=f"{settings.hub_api_url}/users/{OWNER}/servers",
            headers={"Authorization": f"token {ana.token()}"},
            timeout=60,
            trust_env=False,
        )
        run_id = train(self.hubyard, ana, "iris")
        self.client.models.register(RegisterRequest(run_id=run_id, name="iris"))
        app = REPOSITORY / "examples" / "flights" / "app.py"
        self._app = self.client.sources.upload(app)
        self._notebook = self.client.sources.upload_notebook(
            _notebook(self.hubyard.state.parent)
        )
        self._start = {
            Kind.WORKSPACE: self._workspace,
            Kind.RUN: self._run,
            Kind.ENDPOINT: self._endpoint,
            Kind.APP: self._publish,
        }
        self._stop = {
            Kind.RUN: self.client.runs.stop,
            Kind.ENDPOINT: self.client.deployments.stop,
            Kind.APP: self.client.apps.stop,
        }

    def start(self, kind: Kind, name: str, compute: str, lifetime_s: int) -> str:
        """Ask for a workload until it is asked for; returns its server's name."""
        return insist(lambda: self._start[kind](name, compute, lifetime_s))

    def stop(self, server_name: str) -> None:
        """Ask for the end of a workload until it is asked for."""
        kind, _, id_ = server_name.partition("-")
        if kind == Kind.WORKSPACE:
            insist(lambda: self._stop_workspace(server_name))
        else:
            insist(lambda: self._stop[Kind(kind)](id_))

    # -- each kind; asked again, it must not start a second one ------------------------

    def _workspace(self, name: str, compute: str, lifetime_s: int) -> str:
        server = f"workspace-{name}"
        options = {"kind": "workspace", "compute": compute, "lifetime_s": lifetime_s}
        answer = self._hub.post(f"/{server}", json={"user_options": options})
        if answer.status_code == _THROTTLED:
            time.sleep(float(answer.headers["Retry-After"]))
            raise Throttled
        there = answer.status_code == _BAD and (
            "already running" in answer.text or "is pending" in answer.text
        )
        if answer.is_server_error or (there and "pending stop" in answer.text):
            raise Unavailable(answer.text)
        if not there and answer.status_code not in {_CREATED, _ACCEPTED}:
            raise SystemExit(f"{server}: {answer.status_code} {answer.text}")
        return server

    def _stop_workspace(self, server: str) -> None:
        answer = self._hub.request("DELETE", f"/{server}", json={"remove": False})
        if answer.is_server_error or answer.status_code == _BAD:
            raise Unavailable(answer.text)

    def _run(self, name: str, compute: str, lifetime_s: int) -> str:
        known = {run.name: run for run in self.client.runs.list()}
        run = known.get(name) or self.client.runs.start(
            RunRequest(
                source=self._notebook.digest,
                notebook=self._notebook.notebook,
                name=name,
                compute=compute,
                lifetime_s=lifetime_s,
            )
        )
        return f"run-{run.id}"

    def _endpoint(self, name: str, compute: str, lifetime_s: int) -> str:
        known = {each.name: each for each in self.client.deployments.list()}
        found = known.get(name) or self.client.deployments.create(
            DeploymentRequest(
                model="iris",
                version="1",
                name=name,
                compute=compute,
                lifetime_s=lifetime_s,
            )
        )
        return f"endpoint-{found.id}"

    def _publish(self, name: str, compute: str, lifetime_s: int) -> str:
        known = {app.name: app for app in self.client.apps.list()}
        app = known.get(name) or self.client.apps.publish(
            AppRequest(
                source=self._app.digest,
                path="app.py",
                name=name,
                compute=compute,
                lifetime_s=lifetime_s,
            )
        )
        return f"app-{app.id}"


def insist(ask: Callable[[], T]) -> T:
    """Ask again while hub or platform is away."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except (Unavailable, httpx.TransportError) as error:
            if time.monotonic() > end:
                raise SystemExit(f"away for too long: {error}") from None
            time.sleep(0.5)
        except HubyardError as error:
            raise SystemExit(f"refused: {error.message}") from None


def _notebook(folder: Path) -> Path:
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**code, "id": f"c{n}", "source": text} for n, text in enumerate(_CELLS)]
    file = folder / "endless.ipynb"
    file.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    return file
