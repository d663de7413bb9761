"""One process behind the gates of many hub servers: `python many_gates.py PORT FOLDER`.

The hub's `OfOneProcess` spawner writes what it would tell each server into FOLDER, as
JSON; a gate of its own stands before each. So a test starts forty servers in seconds.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import uvicorn

from hubyard_runtime import gate
from support import echo

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SPAWNER = """
import json, pathlib
from uuid import uuid4
from jupyterhub.spawner import Spawner
class OfOneProcess(Spawner):
    async def start(self):
        told = pathlib.Path(w["folder"]) / uuid4().hex
        self.port = w["many_port"]
        told.with_suffix(".json").write_text(json.dumps(self.get_env()))
        return self.ip, self.port
    async def poll(self):
        return None
    async def stop(self, now=False):
        pass
"""


class ManyGates:
    """Hands each request to the gate before its server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gates: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        # `/user/<owner>/<server>/...`, whatever the owner's name may hold.
        server = "/".join(scope["path"].split("/")[:4])
        if server not in self._gates:
            self._read()
        scope["state"] = {"lifespan": False}
        await self._gates[server](scope, receive, send)

    def _read(self) -> None:
        for file in self._folder.glob("*.json"):
            settings = gate.Settings.from_environment(json.loads(file.read_text()))
            shown = dataclasses.replace(settings, same_origin_suffices=True)
            behind = gate.Gate(echo.app, settings=shown)
            self._gates[unquote(settings.prefix.rstrip("/"))] = behind
            file.unlink()


if __name__ == "__main__":
    uvicorn.run(
        ManyGates(Path(sys.argv[2])),
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="warning",
    )
