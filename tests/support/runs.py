"""Real run processes against the real platform, served on loopback.

What stands in for others: the hub is in memory, and a token names its run in clear
where the gate would have asked the hub.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import uvicorn
from sqlalchemy import func, select

from hubyard.contract.identity import Identity
from hubyard.contract.run import RunDetail, RunRecord
from hubyard_hub.service import assemble
from hubyard_hub.store.tables import (
    apps,
    departures,
    deployments,
    entries,
    runs,
    schedules,
)
from hubyard_spawner.local.ports import free_port
from support import coverage_environment
from support.memory_hub import MemoryHub
from support.patience import PATIENCE_S, until
from support.platform import Caller, Stamped, code_cell, packed, parts_in, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

    from hubyard_hub.parts import Parts

PREFIX = "/services/hubyard"
NOTEBOOK = "train.ipynb"


def notebook_of(*sources: str, language: str = "python") -> bytes:
    """A notebook of these cells; the first one holds the parameters if it says so."""
    cells = [
        code_cell(source, *(["parameters"] if "# parameters" in source else []))
        for source in sources
    ]
    metadata = {"kernelspec": {"name": "some-env", "language": language}}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata}
    return json.dumps({**document, "cells": cells}).encode()


class _ByToken:
    """Says who asks from the token, and notes each record that is handed in."""

    def __init__(self, app: Stamped) -> None:
        self.app = app
        self.records: list[tuple[float, RunRecord]] = []
        self.calls: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        owner, _, server = headers[b"authorization"].decode()[7:].partition("/")
        admin = owner == "root"
        identity = Identity(name=owner, server=server, admin=admin)
        who = identity.model_dump_json().encode()
        path = scope["path"].removeprefix(PREFIX)
        self.calls.append(f"{scope['method']} {path}")
        scope = {**scope, "path": path, "headers": [*scope["headers"], (b"x-as", who)]}
        if path != "/api/job/record":
            await self.app(scope, receive, send)
            return
        body = b""

        async def noted() -> Message:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        await self.app(scope, noted, send)
        with contextlib.suppress(ValueError):  # it was refused
            record = RunRecord.model_validate_json(body)
            self.records.append((time.time(), record))


class ServedPlatform:
    """The platform on a port of its own; it can go down and come back."""

    def __init__(self, parts: Parts, app: Stamped) -> None:
        self.parts = parts
        self.seen = _ByToken(app)
        self.owner = Caller(app, Identity(name="ada"))
        self.port = free_port()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def start(self) -> None:
        config = uvicorn.Config(
            self.seen,
            port=self.port,
            lifespan="off",
            log_level="error",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        until(lambda: self._server and self._server.started)

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()

    def create(self, notebook: bytes, /, **more: Any) -> str:
        """The id of a new run of a notebook."""
        files = {NOTEBOOK: notebook, **more.pop("files", {})}
        source = upload(self.owner, files)
        body = {"source": source, "notebook": NOTEBOOK, **more}
        answer = self.owner.post("/runs", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def replace_source(self, run_id: str, files: dict[str, bytes]) -> None:
        """What no run should meet: a source that has changed since it was checked."""
        self.parts.blobs.path(self.detail(run_id).source).write_bytes(packed(files))

    def kept(self) -> int:
        """How much of all that could be started or lost there is."""
        tables = (runs, schedules, apps, deployments, entries, departures)
        counts = [select(func.count()).select_from(table) for table in tables]
        with self.parts.store.read() as connection:
            return sum(connection.execute(count).scalar_one() for count in counts)

    def detail(self, run_id: str) -> RunDetail:
        return RunDetail.model_validate(self.owner.get(f"/runs/{run_id}").json())


@dataclass
class RunProcess:
    """One `python -m hubyard_runtime.run`."""

    id: str
    folder: Path
    platform: ServedPlatform
    extra: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "scratch").mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hubyard_runtime.run"],
                cwd=self.folder / "scratch",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """As the spawner sets it, without what only a hub could give."""
        prefix = f"/user/ada/run-{self.id}/"
        return {
            **coverage_environment(),
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "HUBYARD_KIND": "run",
            "HUBYARD_SCRATCH": str(self.folder / "scratch"),
            "HUBYARD_PLATFORM_URL": self.platform.url,
            "JUPYTERHUB_API_TOKEN": f"ada/run-{self.id}",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada",
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{free_port()}{prefix}",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": "[]",
            **self.extra,
        }

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def below(self) -> list[psutil.Process]:
        """The workers and all that is below them, not the parent that forks them."""
        found = psutil.Process(self.pid).children()
        below = [each for one in found for each in one.children(recursive=True)]
        return below + [each for each in found if "multiprocessing" not in _line(each)]

    def wait(self, within_s: float = PATIENCE_S) -> int:
        assert self._process
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running:\n{self.log()}") from None

    def stop(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Whatever a test has left."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [*self.below(), psutil.Process(self.pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()

    def log(self) -> str:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return "\n".join(line[:500] for line in lines[-200:])

    def record(self) -> RunRecord:
        """What the run itself has kept."""
        text = (self.folder / "scratch" / "record.json").read_text()
        return RunRecord.model_validate_json(text)

    def output(self, key: str = "train") -> dict[str, Any]:
        """The executed notebook of a step run, as it lies there."""
        made = self.folder / "scratch" / "steps" / key / "notebook.ipynb"
        return json.loads(made.read_text())


def _line(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; its parent may not have looked yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def platform(parts: Parts, app: Stamped) -> Iterator[ServedPlatform]:
    served = ServedPlatform(parts, app)
    served.start()
    yield served
    served.stop()


@contextlib.contextmanager
def served_in(folder: Path, hub: MemoryHub) -> Iterator[ServedPlatform]:
    """A served platform whose state is a folder; gone at the end."""
    parts = parts_in(folder, hub)
    served = ServedPlatform(parts, Stamped(assemble(parts)))
    served.start()
    try:
        yield served
    finally:
        served.stop()
        parts.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPlatform]:
    """The real platform of a whole module, whose tests shall start nothing."""
    hub = MemoryHub(knows_nobody=True)
    with served_in(tmp_path_factory.mktemp("platform"), hub) as served:
        yield served
    assert hub.starts == 0


@pytest.fixture
def start(platform, tmp_path):
    started = []

    def start(content, env=None, folder=None, **request):
        id_ = platform.create(content, **request)
        run = RunProcess(id_, folder or tmp_path / id_, platform, env or {})
        started.append(run)
        run.start()
        return run

    yield start
    for run in started:
        run.end()


def execute(start, *sources, **more):
    run = start(notebook_of(*sources), **more)
    run.code = run.wait()
    return run


def statuses(record):
    return [cell.status for cell in record.cells]


def text_of(cell):
    return "".join("".join(out.get("text", "")) for out in cell["outputs"])
