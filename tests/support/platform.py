"""A platform for tests: real parts on a real SQLite file, behind an injected identity.

Only the hub is in memory; the gate, which needs one, is stood in for by a header that
names who asks.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hubyard.contract.identity import Identity
from hubyard_hub.parts import Parts
from hubyard_hub.service import assemble
from hubyard_hub.settings import Settings
from hubyard_hub.workloads.hub_client import HubClient
from support.memory_hub import MemoryHub
from support.stores import newest_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

CATALOGUE = """
currency = "USD"
[[compute]]
name = "small"
cpu = 1
memory = "256 MiB"
price = "0.36"
default_lifetime = "1h"
longest_lifetime = "2h"
[[compute]]
name = "vip"
cpu = 1
memory = "256 MiB"
price = 1
default_lifetime = "1h"
longest_lifetime = "2h"
groups = ["vips"]
[[compute]]
name = "giant"
cpu = 1000
memory = "256 MiB"
price = 1
default_lifetime = "1h"
longest_lifetime = "2h"
[[compute]]
name = "two"
cpu = 1
memory = "512 MiB"
price = "0.72"
default_lifetime = "1h"
longest_lifetime = "2h"
"""


class Stamped:
    """Puts into the scope what the gate would, from headers `X-As` and `X-Token`.

    A bearer token is the secret of a hook, as nothing else has one here.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            said = headers.get(b"x-as")
            identity = Identity.model_validate_json(said) if said else None
            token = headers.get(b"x-token", b"").decode()
            bearer = headers.get(b"authorization", b"").decode()
            scope = {
                **scope,
                "hubyard.identity": identity,
                "hubyard.token": token,
                "hubyard.secret": bearer.removeprefix("Bearer ") or None,
                "root_path": "/services/hubyard",
                "path": "/services/hubyard" + scope["path"],
            }
        await self.app(scope, receive, send)


class Caller:
    """One identity's requests to the platform."""

    def __init__(
        self, app: Stamped, identity: Identity | None, token: str = "strong"
    ) -> None:
        self.app, self.identity, self.token = app, identity, token
        self.raises = True
        """Whether an unexpected error reaches the test."""

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {})}
        if self.identity:
            headers["x-as"] = json.dumps(self.identity.model_dump(mode="json"))
            headers["x-token"] = self.token
        return asyncio.run(self._ask(method, f"/api{path}", headers, more))

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], more: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=self.raises)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://platform"
        ) as client:
            return await client.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self("POST", path, **more)


def settings_in(folder: Path) -> Settings:
    catalogue = folder / "compute.toml"
    catalogue.write_text(CATALOGUE)
    return Settings(state=folder, catalogue=catalogue, hub_port=1, mlflow_port=1)


def parts_in(folder: Path, hub: MemoryHub) -> Parts:
    """The parts of a platform whose state is a folder; to be closed."""
    settings = settings_in(folder)
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    if not database.exists():
        database.write_bytes(newest_shape())
    made = Parts.build(settings)
    made.hub.close()
    client = HubClient("http://hub/hub/api", hub.token, transport=hub.transport())
    return replace(made, hub=client)


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub()


@pytest.fixture
def parts(tmp_path: Path, hub: MemoryHub) -> Iterator[Parts]:
    made = parts_in(tmp_path, hub)
    yield made
    made.close()


@pytest.fixture
def app(parts: Parts) -> Stamped:
    return Stamped(assemble(parts))


@pytest.fixture
def ada(app: Stamped) -> Caller:
    return Caller(app, Identity(name="ada"))


@pytest.fixture
def bob(app: Stamped) -> Caller:
    return Caller(app, Identity(name="bob"))


def workload_of(caller: Caller, server: str) -> Caller:
    """The same owner's workload, with its own token."""
    owner = caller.identity.name if caller.identity else ""
    return Caller(caller.app, Identity(name=owner, server=server))


def code_cell(source: str, *tags: str) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }


def notebook(*cells: dict[str, Any]) -> bytes:
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(document).encode()


PARAMETERS = "lr: float = 0.1  # learning rate\nepochs = 3\nname = 'x'\n"


def packed(files: dict[str, bytes] | None = None) -> bytes:
    """A gzipped tar; by default of one notebook with parameters."""
    if files is None:
        files = {"train.ipynb": notebook(code_cell(PARAMETERS, "parameters"))}
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def upload(caller: Caller, files: dict[str, bytes] | None = None) -> str:
    answer = caller.post("/sources", content=packed(files))
    assert answer.status_code == 200, answer.text
    return answer.json()["digest"]
